import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, chat } from '../support/ask.ts';
import { account, expectBalanced } from '../support/books.ts';
import { expectError, retryAfter } from '../support/expect-error.ts';
import { type Stack, startStack } from '../support/stack.ts';

// How much one client, or all of them, may ask of this server at once.
let stack: Stack;

beforeAll(async () => {
  stack = await startStack({
    env: { REDEMPTIONS_PER_MINUTE: '3', CONCURRENCY: '2', TRUST_PROXY: '127.0.0.1' },
  });
});
afterAll(async () => {
  await expectBalanced(stack);
  await stack[Symbol.asyncDispose]();
});

const from = (address: string) => ({ 'x-forwarded-for': address });

test('more running requests than are taken: 429 with Retry-After, and nothing is charged', async () => {
  const key = await stack.token(64);
  await account(stack, key);
  stack.model.fault('slow=500', 2);
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => ask(`${stack.url}/v1/chat/completions`, { key, body: chat() })),
  );
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(2);
  for (const answer of answers.filter(({ status }) => status !== 200)) {
    expectError(answer, 429, 'rate_limit_error', 'rate_limited');
    expect(retryAfter(answer)).toBe(1);
  }
  expect((await account(stack, key)).balance).toBe(63_000 - 2 * 18);
  expect((await ask(`${stack.url}/v1/chat/completions`, { key, body: chat() })).status).toBe(200);
});

test('more new tokens than one address may bring: 429, and the token comes back', async () => {
  const headers = from('203.0.113.7');
  const create = async (token: string, more: Record<string, string>) =>
    ask(`${stack.url}/v1/balance/create`, { headers: more, body: { initial_balance_token: token } });
  const first = await stack.token(16);
  for (const token of [first, await stack.token(16), await stack.token(16)]) {
    expect((await create(token, headers)).status).toBe(200);
  }
  const token = await stack.token(16);
  const swaps = stack.mint.hits('POST /v1/swap');
  const answer = await create(token, headers);
  expectError(answer, 429, 'rate_limit_error', 'rate_limited');
  expect(retryAfter(answer)).toBeGreaterThan(0);
  expect(answer.headers.get('x-cashu')).toBe(token);
  expect(stack.mint.hits('POST /v1/swap')).toBe(swaps);

  // Neither the tokens that are accounts already, nor other addresses, wait for that one.
  const known = await ask(`${stack.url}/v1/wallet/info`, { key: first, headers });
  expect(known.status).toBe(200);
  expect((await create(token, from('203.0.113.8'))).status).toBe(200);
});
