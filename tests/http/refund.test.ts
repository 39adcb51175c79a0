import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, ask, chat } from '../support/ask.ts';
import { account, expectBalanced, rows } from '../support/books.ts';
import { expectError, retryAfter } from '../support/expect-error.ts';
import { eventually, type Stack, startStack } from '../support/stack.ts';

// A refund is debited at once and left in the ledger for the wallet, which no sidecar has: until then it is 425.
let stack: Stack;

beforeAll(async () => {
  stack = await startStack({
    env: { EXTRA_PATHS: '[{"path":"/health","method":"GET","sats":"3"}]' },
  });
});
afterAll(async () => {
  await expectBalanced(stack);
  await stack[Symbol.asyncDispose]();
});

const invalid = 'invalid_request_error';

interface Row {
  amount: number;
  state: string;
  recipient: string | null;
  pubkey: string;
}

function refund(key: string, body: object = {}): Promise<Answer> {
  return ask(`${stack.url}/v1/wallet/refund`, { key, body });
}

/** Every refund there is, oldest first. */
function refunds(): Row[] {
  return rows(stack, 'select amount, state, recipient, pubkey from refund order by id');
}

function expectPending(answer: Answer): void {
  const error = expectError(answer, 425, invalid, 'refund_pending');
  expect(error.message).toBe('Refund is pending; retry shortly.');
  expect(retryAfter(answer)).toBe(2);
}

async function keyOf(sats: number): Promise<string> {
  return (await account(stack, await stack.token(sats))).api_key;
}

test('whole sats leave the key at once, the rest of a sat stays', async () => {
  const key = await keyOf(64);
  await ask(`${stack.url}/v1/chat/completions`, { key, body: chat() });
  const known = refunds().length;
  expectPending(await refund(key));
  expect(refunds().slice(known)).toEqual([
    {
      amount: 62_000,
      state: 'debited',
      recipient: null,
      pubkey: expect.stringMatching(/^0[23][0-9a-f]{64}$/),
    },
  ]);
  expect(await account(stack, key)).toMatchObject({ balance: 1000 - 18, reserved: 0 });
});

test('asking again, under either name, is the same refund', async () => {
  const key = await keyOf(64);
  const known = refunds().length;
  const answers = await Promise.all([
    refund(key),
    refund(key, { lightning_address: null }),
    ask(`${stack.url}/v1/balance/refund`, { key, method: 'POST' }),
    ask(`${stack.url}/v1/balance/refund/`, { key, method: 'POST' }),
  ]);
  for (const answer of answers.slice(0, 3)) expectPending(answer);
  expectError(answers[3]!, 404, invalid, 'not_found');
  expect(refunds()).toHaveLength(known + 1);
});

test('a key without a balance: No balance to refund', async () => {
  const key = await keyOf(4);
  expect((await ask(`${stack.url}/health`, { key })).status).toBe(200);
  expect((await account(stack, key)).balance).toBe(0);
  const error = expectError(await refund(key), 400, invalid, 'refund_nothing');
  expect(error.message).toBe('No balance to refund');
});

test('a balance that can not pay its own way: Balance too small to refund', async () => {
  const key = await keyOf(2);
  const error = expectError(await refund(key), 400, invalid, 'refund_too_small');
  expect(error.message).toBe('Balance too small to refund');
  expect((await account(stack, key)).balance).toBe(1000);
});

test('a key with a running request keeps its balance until it is over', async () => {
  const key = await keyOf(64);
  stack.model.fault('slow=400', 1);
  const running = ask(`${stack.url}/v1/chat/completions`, { key, body: chat() });
  await eventually(async () => expect((await account(stack, key)).reserved).toBe(18));
  const error = expectError(await refund(key), 400, invalid, 'refund_running');
  expect(error.message).toBe('Cannot refund key. There are ongoing requests for this api key.');
  expect((await running).status).toBe(200);
  expectPending(await refund(key));
});

test('to a Lightning address, and then to nowhere else', async () => {
  const key = await keyOf(64);
  const known = refunds().length;
  expectPending(await refund(key, { lightning_address: 'Me@Example.com' }));
  expect(refunds().slice(known)).toMatchObject([
    { amount: 63_000, state: 'debited', recipient: 'me@example.com' },
  ]);
  expectPending(await refund(key, { lightning_address: 'me@example.com' }));
  expectError(await refund(key, { lightning_address: 'you@example.com' }), 409, invalid, 'refund_elsewhere');
  expectError(await refund(key), 409, invalid, 'refund_elsewhere');
  expect(refunds()).toHaveLength(known + 1);
});

test("to the key's own refund address", async () => {
  const made = await ask(`${stack.url}/v1/balance/create`, {
    body: { initial_balance_token: await stack.token(64), refund_address: 'own@example.com' },
  });
  const { api_key: key } = made.json<{ api_key: string }>();
  const known = refunds().length;
  expectPending(await refund(key));
  expect(refunds().slice(known)).toMatchObject([{ recipient: 'own@example.com' }]);
});

test.each(['not an address', 'https://example.com/lnurlp/me', '@example.com', 'me@', 17])(
  'an address like %s is 400, and nothing is debited',
  async (address) => {
    const key = await keyOf(64);
    const answer = await refund(key, { lightning_address: address });
    expectError(answer, 400, invalid, 'invalid_request');
    expect((await account(stack, key)).balance).toBe(63_000);
  },
);

test('an expired key neither pays nor is topped up, but can be looked at and refunded', async () => {
  const first = await stack.token(64);
  const expiry = Math.floor(Date.now() / 1000) + 4;
  const made = await ask(`${stack.url}/v1/balance/create`, {
    body: { initial_balance_token: first, key_expiry_time: expiry },
  });
  const { api_key: key } = made.json<{ api_key: string }>();
  const pay = () => ask(`${stack.url}/v1/chat/completions`, { key, body: chat() });
  await eventually(async () => expect((await pay()).status).toBe(403));
  expectError(await pay(), 403, invalid, 'key_expired');
  const token = await stack.token(16);
  const topup = await ask(`${stack.url}/v1/wallet/topup`, { key, body: { cashu_token: token } });
  expectError(topup, 403, invalid, 'key_expired');
  expect(topup.headers.get('x-cashu')).toBe(token);
  const child = await ask(`${stack.url}/v1/wallet/child-key`, { key, body: { count: 1 } });
  expectError(child, 403, invalid, 'key_expired');

  expect(await account(stack, key)).toMatchObject({ key_expiry_time: expiry });
  expect((await ask(`${stack.url}/v1/wallet/history`, { key })).status).toBe(200);
  expectPending(await refund(key));
});

test('a refund races with requests: whoever is first, nothing is paid twice', async () => {
  const key = await keyOf(64);
  const known = refunds().length;
  const [refunded, ...paid] = await Promise.all([
    refund(key),
    ...Array.from({ length: 20 }, () => ask(`${stack.url}/v1/chat/completions`, { key, body: chat() })),
  ]);
  const served = paid.filter(({ status }) => status === 200).length;
  const { balance } = await account(stack, key);
  const debited = refunds()
    .slice(known)
    .reduce((sum, { amount }) => sum + amount, 0);
  expect([400, 425]).toContain(refunded.status);
  expect(balance + debited + served * 18).toBe(63_000);
});
