import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, chat } from '../support/ask.ts';
import { account, charges, expectBalanced } from '../support/books.ts';
import { expectError } from '../support/expect-error.ts';
import { type Stack, startStack } from '../support/stack.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await startStack();
});
afterAll(async () => {
  await expectBalanced(stack);
  await stack[Symbol.asyncDispose]();
});

/** 2 msat in and 49 tokens of 2 msat out: its hold and its cost are both 100 msat. */
const hundred = chat(49, { ignore_eos: true });

test('200 at once on a balance for exactly 10: 10 are served, 190 are 402, nothing is overspent', async () => {
  const key = await stack.token(2);
  expect((await account(stack, key)).balance).toBe(1000);
  stack.model.fault('slow=50', 200);
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, n) =>
      ask(`${stack.url}/v1/chat/completions`, { key, body: { ...hundred, stream: n % 2 === 0 } }),
    ),
  );
  stack.model.fault('');
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(10);
  const refused = answers.filter(({ status }) => status !== 200);
  expect(refused).toHaveLength(190);
  for (const answer of refused) expectError(answer, 402, 'insufficient_quota', 'insufficient_balance');
  expect(stack.model.requests().filter(({ method }) => method === 'POST')).toHaveLength(10);
  expect(charges(stack).map(({ msat }) => msat)).toEqual(Array(10).fill(100));
  expect(await account(stack, key)).toMatchObject({ balance: 0, reserved: 0, total_spent: 1000 });
});

test('one token from 20 connections at once is credited once, and all 20 have the same account', async () => {
  const token = await stack.token(64);
  const swaps = stack.mint.hits('POST /v1/swap');
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, n) => {
      const headers = { authorization: `Bearer ${token}`, connection: 'close' };
      if (n % 4 === 0) return ask(`${stack.url}/v1/chat/completions`, { headers, body: chat() });
      if (n % 4 === 1)
        return ask(`${stack.url}/v1/balance/create`, { body: { initial_balance_token: token } });
      return ask(`${stack.url}/v1/wallet/info`, { headers });
    }),
  );
  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
  expect(stack.mint.hits('POST /v1/swap')).toBe(swaps + 1);
  const keys = answers
    .map((answer) => answer.json<{ api_key?: string }>().api_key)
    .filter((key) => key !== undefined);
  expect(keys).toHaveLength(15);
  expect(new Set(keys).size).toBe(1);
  expect((await account(stack, keys[0]!)).balance).toBe(63_000 - 5 * 18);
});

test('many customers at once each pay for themselves', async () => {
  const tokens = await Promise.all(Array.from({ length: 8 }, () => stack.token(16)));
  await Promise.all(tokens.map((token) => account(stack, token)));
  const answers = await Promise.all(
    Array.from({ length: 80 }, (_, n) =>
      ask(`${stack.url}/v1/chat/completions`, { key: tokens[n % 8]!, body: hundred }),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual(Array(80).fill(200));
  for (const token of tokens) expect((await account(stack, token)).balance).toBe(15_000 - 10 * 100);
});
