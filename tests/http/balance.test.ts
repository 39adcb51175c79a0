import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningMint, startMint } from '../../sqlite-dev/mint/start-mint.ts';
import { mintToken } from '../../sqlite-dev/mint-token.ts';
import { ask, chat } from '../support/ask.ts';
import { account, expectBalanced } from '../support/books.ts';
import { expectError } from '../support/expect-error.ts';
import { type Stack, startStack } from '../support/stack.ts';

// Keys and what is on them. The provider takes two mints and knows of a third one it does not take.
let stack: Stack;
let second: RunningMint;
let foreign: RunningMint;

beforeAll(async () => {
  [second, foreign] = await Promise.all([startMint(), startMint()]);
  stack = await startStack({ otherMints: [second.url] });
});
afterAll(async () => {
  await expectBalanced(stack);
  await stack[Symbol.asyncDispose]();
  await second.close();
  await foreign.close();
});

const invalid = 'invalid_request_error';
/** What `chat()` costs, which is also what is held for it. */
const price = 18;
const inAnHour = () => Math.floor(Date.now() / 1000) + 3600;

function create(body: object) {
  return ask(`${stack.url}/v1/balance/create`, { body });
}

function topup(key: string | undefined, body: object) {
  return ask(`${stack.url}/v1/balance/topup`, { ...(key !== undefined && { key }), body });
}

interface History {
  transactions: {
    id: string;
    type: string;
    source: string;
    amount: number;
    unit: string;
    mint_url: string;
  }[];
}

async function history(key: string): Promise<History['transactions']> {
  const answer = await ask(`${stack.url}/v1/wallet/history`, { key });
  expect(answer.status).toBe(200);
  return answer.json<History>().transactions;
}

test('info under each of its names', async () => {
  const token = await stack.token(64);
  const { api_key: key } = await account(stack, token);
  await ask(`${stack.url}/v1/chat/completions`, { key, body: chat() });
  const paths = [
    '/v1/balance',
    '/v1/balance/',
    '/v1/balance/info',
    '/v1/wallet',
    '/v1/wallet/',
    '/v1/wallet/info',
  ];
  for (const path of paths) {
    const answer = await ask(stack.url + path, { key });
    expect(answer.json(), path).toEqual({
      api_key: key,
      balance: 63_000 - 18,
      reserved: 0,
      is_child: false,
      total_requests: 1,
      total_spent: 18,
      balance_limit: null,
      balance_limit_reset: null,
      validity_date: null,
      refund_address: null,
      key_expiry_time: null,
    });
  }
});

test('info shows what running requests have set aside', async () => {
  const key = await stack.token(64);
  await account(stack, key);
  stack.model.fault('slow=300', 1);
  const running = ask(`${stack.url}/v1/chat/completions`, { key, body: chat(1000) });
  await expect.poll(() => account(stack, key)).toMatchObject({ reserved: 2002, balance: 63_000 - 2002 });
  await running;
  expect(await account(stack, key)).toMatchObject({ reserved: 0, balance: 63_000 - 2 - 24 * 2 });
});

test('create makes a key of a token, with its expiry and refund address', async () => {
  const token = await stack.token(128);
  const expiry = inAnHour();
  const answer = await create({
    initial_balance_token: `cashu:${token}`,
    key_expiry_time: expiry,
    refund_address: 'Me@Example.com',
  });
  expect(answer.status).toBe(200);
  const { api_key: key, balance } = answer.json<{ api_key: string; balance: number }>();
  expect(key).toMatch(/^sk-[0-9a-f]{64}$/);
  expect(balance).toBe(127_000);
  expect(await account(stack, token)).toMatchObject({
    api_key: key,
    balance,
    key_expiry_time: expiry,
    refund_address: 'me@example.com',
  });
  const again = await create({ initial_balance_token: token });
  expect(again.json()).toEqual({ api_key: key, balance });
});

test('a key with a limit spends no more than that, however many requests there are at once', async () => {
  const token = await stack.token(128);
  const limits = { balance_limit: 5 * price, balance_limit_reset: 'monthly', validity_date: inAnHour() };
  const created = await create({ initial_balance_token: token, ...limits });
  expect(created.status, created.text).toBe(200);
  const { api_key: key, balance } = created.json<{ api_key: string; balance: number }>();
  expect(balance).toBe(5 * price);
  expect(await account(stack, key)).toMatchObject({ ...limits, balance, is_child: false });

  const spend = () => ask(`${stack.url}/v1/chat/completions`, { key, body: chat() });
  const answers = await Promise.all(Array.from({ length: 40 }, spend));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(5);
  for (const answer of answers.filter(({ status }) => status !== 200)) {
    expectError(answer, 402, 'insufficient_quota', 'balance_limit_exceeded');
  }
  expect(await account(stack, key)).toMatchObject({ balance: 0, reserved: 0, total_spent: 5 * price });
  expectError(
    await ask(`${stack.url}/v1/balance/child-key`, { key, body: { count: 1 } }),
    402,
    'insufficient_quota',
    'balance_limit_exceeded',
  );
  expect((await topup(key, { cashu_token: await stack.token(32) })).status).toBe(200);
  expectError(await spend(), 402, 'insufficient_quota', 'balance_limit_exceeded');
  expect((await ask(`${stack.url}/v1/wallet/refund`, { key, body: {} })).status).toBe(425);
});

test('after its validity date a key is 403, and can still be refunded', async () => {
  const token = await stack.token(64);
  const validity_date = Math.floor(Date.now() / 1000) + 4;
  const created = await create({ initial_balance_token: token, validity_date });
  expect(created.status, created.text).toBe(200);
  const { api_key: key } = created.json<{ api_key: string }>();
  const spend = () => ask(`${stack.url}/v1/chat/completions`, { key, body: chat() });
  await expect.poll(async () => (await spend()).status, { timeout: 20_000 }).toBe(403);
  expectError(await spend(), 403, invalid, 'key_expired');
  expect(await account(stack, key)).toMatchObject({ validity_date });
  expect((await ask(`${stack.url}/v1/wallet/refund`, { key, body: {} })).status).toBe(425);
});

test('the first request with a token may say the same in headers', async () => {
  const token = await stack.token(64);
  const expiry = inAnHour();
  const answer = await ask(`${stack.url}/v1/chat/completions`, {
    key: token,
    headers: { 'key-expiry-time': String(expiry), 'refund-lnurl': 'me@example.com' },
    body: chat(),
  });
  expect(answer.status).toBe(200);
  expect(await account(stack, token)).toMatchObject({
    key_expiry_time: expiry,
    refund_address: 'me@example.com',
  });
});

test.each<[string, object]>([
  ['an expiry in the past', { key_expiry_time: 1_700_000_000 }],
  ['an expiry in ms', { key_expiry_time: Date.now() + 3_600_000 }],
  ['an expiry as text', { key_expiry_time: 'tomorrow' }],
  ['half a second', { key_expiry_time: inAnHour() + 0.5 }],
  ['a refund address that is none', { refund_address: 'somewhere' }],
  ['a refund URL', { refund_address: 'https://example.com/.well-known/lnurlp/me' }],
  ['a negative limit', { balance_limit: -1 }],
  ['a limit as text', { balance_limit: '5' }],
  ['an unknown reset', { balance_limit: 5, balance_limit_reset: 'hourly' }],
  ['a validity date in the past', { validity_date: 1_700_000_000 }],
])('create with %s is 400, and the token stays unspent', async (_, more) => {
  const token = await stack.token(64);
  const swaps = stack.mint.hits('POST /v1/swap');
  const answer = await create({ initial_balance_token: token, ...more });
  expectError(answer, 400, invalid, 'invalid_request');
  expect(stack.mint.hits('POST /v1/swap')).toBe(swaps);
});

test.each([
  ['key-expiry-time', 'soon'],
  ['key-expiry-time', '1700000000'],
  ['refund-lnurl', 'https://example.com'],
])('a first request with a wrong %s (%s) is 400, and the token stays unspent', async (name, value) => {
  const token = await stack.token(64);
  const swaps = stack.mint.hits('POST /v1/swap');
  const answer = await ask(`${stack.url}/v1/chat/completions`, {
    key: token,
    headers: { [name]: value },
    body: chat(),
  });
  expectError(answer, 400, invalid, 'invalid_request');
  expect(stack.mint.hits('POST /v1/swap')).toBe(swaps);
});

test('create without a token, or with none that can be read', async () => {
  expectError(await create({}), 400, invalid, 'invalid_request');
  expectError(
    await create({ initial_balance_token: 'cashuBnonsense' }),
    400,
    'invalid_token',
    'invalid_cashu_token',
  );
  expectError(await create({ initial_balance_token: 17 }), 400, invalid, 'invalid_request');
  expectError(
    await ask(`${stack.url}/v1/balance/create`, {
      body: 'no',
      headers: { 'content-type': 'application/json' },
    }),
    400,
    invalid,
    'invalid_json',
  );
});

test('a top-up adds to a key, once', async () => {
  const { api_key: key } = await account(stack, await stack.token(64));
  const more = await stack.token(32);
  const answers = await Promise.all([1, 2, 3].map(() => topup(key, { cashu_token: more })));
  for (const answer of answers) expect(answer.json()).toEqual({ msats: 31_000 });
  expect(await account(stack, key)).toMatchObject({ balance: 63_000 + 31_000 });
  expect((await topup(key, { cashu_token: more })).json()).toEqual({ msats: 31_000 });
  expect(await account(stack, key)).toMatchObject({ balance: 63_000 + 31_000 });
});

test('a top-up without a token has its own text', async () => {
  const key = await stack.token(64);
  await account(stack, key);
  for (const body of [{}, { cashu_token: '' }]) {
    const error = expectError(await topup(key, body), 400, invalid, 'invalid_request');
    expect(error.message).toBe('A cashu_token is required.');
  }
});

test("a top-up from another mint than the account's is 400, and the token comes back", async () => {
  const key = await stack.token(64);
  const { balance } = await account(stack, key);
  for (const mint of [second, foreign]) {
    const token = await mintToken(mint.url, 32);
    const answer = await topup(key, { cashu_token: token });
    expectError(answer, 400, 'untrusted_mint', 'cashu_untrusted_source_mint');
    expect(answer.headers.get('x-cashu')).toBe(token);
    expect(mint.hits('POST /v1/swap')).toBe(0);
  }
  expect((await account(stack, key)).balance).toBe(balance);
  // The one that is taken makes a key of its own.
  const own = await mintToken(second.url, 32);
  expect((await account(stack, own)).balance).toBe(31_000);
});

test('a token has one role for ever', async () => {
  const key = await stack.token(64);
  await account(stack, key);
  const other = await stack.token(64);
  const { balance } = await account(stack, other);
  const spent = ['token_already_spent', 'cashu_token_already_spent'] as const;
  expectError(await topup(key, { cashu_token: other }), 400, ...spent);
  expectError(await topup(other, { cashu_token: other }), 400, ...spent);
  expect((await account(stack, other)).balance).toBe(balance);

  const more = await stack.token(16);
  await topup(key, { cashu_token: more });
  expectError(await topup(other, { cashu_token: more }), 400, ...spent);
  expectError(await create({ initial_balance_token: more }), 400, ...spent);
  expectError(await ask(`${stack.url}/v1/wallet/info`, { key: more }), 400, ...spent);
  const request = { headers: { 'x-cashu': more }, body: chat() };
  expectError(await ask(`${stack.url}/v1/chat/completions`, request), 400, ...spent);
});

test('a top-up of a key that nobody has is 401, and the token stays unspent', async () => {
  const token = await stack.token(16);
  const swaps = stack.mint.hits('POST /v1/swap');
  const answer = await topup(`sk-${'0'.repeat(64)}`, { cashu_token: token });
  expectError(answer, 401, invalid, 'invalid_api_key');
  expect(stack.mint.hits('POST /v1/swap')).toBe(swaps);
});

test('history: what came in and went out, newest first', async () => {
  const { api_key: key } = await account(stack, await stack.token(64));
  await topup(key, { cashu_token: await stack.token(32) });
  await ask(`${stack.url}/v1/chat/completions`, { key, body: chat() });
  const refund = await ask(`${stack.url}/v1/wallet/refund`, { key, body: {} });
  expect(refund.status).toBe(425);
  const seen = await history(key);
  const common = { unit: 'msat', mint_url: stack.mint.url, collected: false, swept: false };
  expect(seen).toEqual([
    // 63 + 31 sats less 18 msat, in whole sats.
    expect.objectContaining({ ...common, type: 'out', source: 'refund', amount: 93_000 }),
    expect.objectContaining({ ...common, type: 'in', source: 'cashu', amount: 31_000 }),
    expect.objectContaining({ ...common, type: 'in', source: 'cashu', amount: 63_000 }),
  ]);
  expect(new Set(seen.map(({ id }) => id)).size).toBe(3);
  const latest = await ask(`${stack.url}/v1/balance/history?limit=1`, { key });
  expect(latest.json<History>().transactions).toEqual(seen.slice(0, 1));
});

test('a key whose mint is not taken any more gets 400, not 402, and can still be refunded', async () => {
  const token = await mintToken(second.url, 64);
  await account(stack, token);
  await stack.stop();
  await stack.start({ CASHU_MINTS: stack.mint.url });
  const { api_key: key } = await account(stack, token);
  const answer = await ask(`${stack.url}/v1/chat/completions`, { key, body: chat() });
  expectError(answer, 400, 'untrusted_mint', 'cashu_untrusted_source_mint');
  expect((await ask(`${stack.url}/v1/wallet/refund`, { key, body: {} })).status).toBe(425);
});
