import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, ask, chat, events } from '../support/ask.ts';
import { account, charges, expectBalanced, rows, type Told } from '../support/books.ts';
import { expectError, retryAfter } from '../support/expect-error.ts';
import { eventually, type Stack, startStack } from '../support/stack.ts';

// One token, one request. What is left of it is owed as a refund, which the wallet pays out.
let stack: Stack;

beforeAll(async () => {
  stack = await startStack();
});
afterAll(async () => {
  await expectBalanced(stack);
  await stack[Symbol.asyncDispose]();
});

const spent = ['token_already_spent', 'cashu_token_already_spent'] as const;
const invalid = 'invalid_request_error';

function pay(token: string, more: object = {}, tokens = 8): Promise<Answer> {
  return ask(`${stack.url}/v1/chat/completions`, {
    headers: { 'x-cashu': token },
    body: chat(tokens, more),
  });
}

function change(token: string): Promise<Answer> {
  return ask(`${stack.url}/v1/wallet/refund`, { headers: { 'x-cashu': token }, method: 'POST' });
}

function refunds(): { amount: number; state: string }[] {
  return rows(stack, 'select amount, state from refund order by id');
}

/** Runs one request and says what it left owed, msat, and what was charged. */
async function after<T>(
  request: () => Promise<T>,
): Promise<{ answer: T; owed: number[]; charged: number[] }> {
  const [owed, charged] = [refunds().length, charges(stack).length];
  const answer = await request();
  return {
    answer,
    owed: refunds()
      .slice(owed)
      .map(({ amount }) => amount),
    charged: charges(stack)
      .slice(charged)
      .map(({ msat }) => msat),
  };
}

test('a request is served, charged in whole sats, and the rest is owed', async () => {
  const token = await stack.token(64);
  const { answer, owed, charged } = await after(() => pay(token));
  expect(answer.status).toBe(200);
  // 64 sats less the mint's fee; 18 msat are one sat, since nobody could be given less.
  expect(charged).toEqual([1000]);
  expect(owed).toEqual([62_000]);
  expect(answer.headers.get('x-routstr-cost-msats')).toBe('1000');
  const { usage } = answer.json<{ usage: Told }>();
  expect(usage.cost.total_msats).toBe(1000);
  expect(usage.cost_sats).toBe(1);
  expect(answer.headers.get('x-cashu')).not.toBe(token);

  const pending = await change(token);
  const error = expectError(pending, 425, invalid, 'refund_pending');
  expect(error.message).toBe('Refund is pending; retry shortly.');
  expect(retryAfter(pending)).toBe(2);
  expect(pending.headers.get('x-cashu')).toBeNull();
});

test('a streamed one leaves its rest in the same place', async () => {
  const token = await stack.token(64);
  const { answer, owed, charged } = await after(() => pay(token, { stream: true }));
  const [usage, done] = events<{ usage: Told }>(answer.text).slice(-2);
  expect(done).toBe('[DONE]');
  expect((usage as { usage: Told }).usage.cost.total_msats).toBe(1000);
  expect(charged).toEqual([1000]);
  expect(owed).toEqual([62_000]);
  expectError(await change(token), 425, invalid, 'refund_pending');
});

test('nothing is owed of a token that was used up', async () => {
  const token = await stack.token(2);
  const { answer, owed, charged } = await after(() => pay(token));
  expect(answer.status).toBe(200);
  expect(charged).toEqual([1000]);
  expect(owed).toEqual([]);
  expectError(await change(token), 404, invalid, 'refund_not_found');
});

test('a token worth too little comes back, and is as good as before', async () => {
  const token = await stack.token(2);
  const swaps = stack.mint.hits('POST /v1/swap');
  const answer = await pay(token, {}, 2000);
  const error = expectError(answer, 402, 'minimum_balance_required', 'payment_required');
  expect(error).toMatchObject({ amount_required_msat: 4002, available_msat: 1000, model: 'stub-chat' });
  expect(answer.headers.get('x-cashu')).toBe(token);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(stack.mint.hits('POST /v1/swap')).toBe(swaps);
  expectError(await change(token), 404, invalid, 'refund_not_found');
  expect((await pay(token)).status).toBe(200);
});

test('ten times at once: served once, the others are told that it runs', async () => {
  const token = await stack.token(64);
  const model = stack.model.requests().length;
  stack.model.fault('slow=500', 1);
  const {
    answer: answers,
    owed,
    charged,
  } = await after(() => Promise.all(Array.from({ length: 10 }, () => pay(token))));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  for (const answer of answers.filter(({ status }) => status !== 200)) {
    expectError(answer, 409, invalid, 'request_running');
    expect(retryAfter(answer)).toBeGreaterThan(0);
    expect(answer.headers.get('x-cashu')).toBeNull();
  }
  expect(stack.model.requests().length - model).toBe(1);
  expect(charged).toEqual([1000]);
  expect(owed).toEqual([62_000]);
});

test('again after it was served: 400, nothing runs, and its change is still there', async () => {
  const token = await stack.token(64);
  await pay(token);
  const {
    answer: answers,
    owed,
    charged,
  } = await after(() => Promise.all([pay(token), pay(token, { stream: true }), pay(token, {}, 20)]));
  for (const answer of answers) {
    expectError(answer, 400, ...spent);
    expect(answer.headers.get('x-cashu')).not.toBe(token);
  }
  expect({ owed, charged }).toEqual({ owed: [], charged: [] });
  expectError(await change(token), 425, invalid, 'refund_pending');
});

test('the change of a running request is not there yet', async () => {
  const token = await stack.token(64);
  const asked = stack.model.requests().length;
  stack.model.fault('slow=1500', 1);
  const running = pay(token);
  // Not before it runs: asked for its change before its money is set aside, a token is closed and given back.
  await eventually(() => expect(stack.model.requests()).toHaveLength(asked + 1));
  const early = await change(token);
  expect(early.text).toContain('still running');
  expectError(early, 425, invalid, 'refund_pending');
  expect(retryAfter(early)).toBeGreaterThan(0);
  expect((await running).status).toBe(200);
});

test.each(['status=500', 'reset=before', 'status=429', 'status=400'])(
  'when the model fails (%s) all of it is owed, and it is not run again',
  async (fault) => {
    const token = await stack.token(64);
    stack.model.fault(fault, 1);
    const { answer, owed, charged } = await after(() => pay(token));
    const status = { 'status=429': 429, 'status=400': 400 }[fault] ?? 424;
    expect(answer.status).toBe(status);
    expect({ owed, charged }).toEqual({ owed: [63_000], charged: [] });
    const model = stack.model.requests().length;
    expectError(await pay(token), 400, ...spent);
    expect(stack.model.requests().length).toBe(model);
    expectError(await change(token), 425, invalid, 'refund_pending');
  },
);

test('it is no credential, before or after', async () => {
  const token = await stack.token(64);
  const info = { headers: { 'x-cashu': token } };
  expectError(await ask(`${stack.url}/v1/wallet/info`, info), 401, invalid, 'invalid_api_key');
  expect((await pay(token)).status).toBe(200);
  const bearer = { key: token, body: chat() };
  expectError(await ask(`${stack.url}/v1/chat/completions`, bearer), 400, ...spent);
  expectError(await ask(`${stack.url}/v1/wallet/info`, { key: token }), 400, ...spent);
  const create = { body: { initial_balance_token: token } };
  expectError(await ask(`${stack.url}/v1/balance/create`, create), 400, ...spent);
});

test('and a prepaid token does not pay as X-Cashu', async () => {
  const token = await stack.token(64);
  const { balance } = await account(stack, token);
  expectError(await pay(token), 400, ...spent);
  expect((await account(stack, token)).balance).toBe(balance);
});

test('in both headers at once it is one or the other', async () => {
  const token = await stack.token(64);
  const answers = await Promise.all([
    pay(token),
    ask(`${stack.url}/v1/chat/completions`, { key: token, body: chat() }),
  ]);
  const served = answers.filter(({ status }) => status === 200);
  expect(served).toHaveLength(1);
  for (const answer of answers) {
    if (answer.status !== 200) expect([400, 503]).toContain(answer.status);
    expect(answer.headers.get('x-cashu')).not.toBe(token);
  }
});

test('change that nobody has is 404', async () => {
  const unknown = await stack.token(64);
  expectError(await change(unknown), 404, invalid, 'refund_not_found');
  const nonsense = `cashuB${randomBytes(60).toString('base64url')}`;
  expectError(await change(nonsense), 404, invalid, 'refund_not_found');
  expect((await pay(unknown)).status).toBe(200);
});
