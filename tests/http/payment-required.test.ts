import { PaymentRequest } from '@cashu/cashu-ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, ask, chat } from '../support/ask.ts';
import { account, charges, expectBalanced } from '../support/books.ts';
import { expectError } from '../support/expect-error.ts';
import { type Stack, startStack } from '../support/stack.ts';

// Every 402 says how to pay: a NUT-18 request in the body and, where it is free, in the header of NUT-24.
let stack: Stack;
let url: string;

beforeAll(async () => {
  stack = await startStack();
  url = `${stack.url}/v1/chat/completions`;
});
afterAll(async () => {
  expect(stack.model.requests().filter(({ method }) => method === 'POST')).toEqual([]);
  expect(charges(stack).filter(({ model }) => model !== null)).toEqual([]);
  await expectBalanced(stack);
  await stack[Symbol.asyncDispose]();
});

/** 2 tokens of prompt and 2,000 of answer, priced 1 and 2 msat, of which the prompt is held as 3 (characters/3). */
const dear = chat(2000);
const held = 2 + 2000 * 2;

function expectRequest(answer: Answer, sats: number | undefined): PaymentRequest {
  expect(answer.headers.get('cache-control')).toBe('no-store');
  const body = answer.json<{ payment_request: string; error: { payment_request: string } }>();
  expect(body.error.payment_request).toBe(body.payment_request);
  const request = PaymentRequest.fromEncodedRequest(body.payment_request);
  expect(request.unit).toBe('sat');
  expect(request.mints).toEqual([stack.mint.url]);
  expect(request.transport ?? []).toEqual([]);
  expect(request.amount === undefined ? undefined : Number(request.amount)).toBe(sats);
  return request;
}

test('without a credential: payment_required, with a request in body and header', async () => {
  const answer = await ask(url, { body: dear });
  expectError(answer, 402, 'minimum_balance_required', 'payment_required');
  expectRequest(answer, undefined);
  expect(answer.headers.get('x-cashu')).toBe(answer.json().payment_request);
});

test('a key that is too poor: insufficient_balance, the pair that clients top up on', async () => {
  const token = await stack.token(2);
  const { balance } = await account(stack, token);
  expect(balance).toBe(1000);
  const answer = await ask(url, { key: token, body: dear });
  const error = expectError(answer, 402, 'insufficient_quota', 'insufficient_balance');
  expect(error).toMatchObject({
    amount_required_msat: held,
    available_msat: balance,
    model: 'stub-chat',
  });
  expectRequest(answer, Math.ceil((held - balance) / 1000));
  expect(answer.headers.get('x-cashu')).toBe(answer.json().payment_request);
});

test('a new token worth too little is not redeemed: what is asked for is a token that is worth it, fee included', async () => {
  const token = await stack.token(4);
  const swaps = stack.mint.hits('POST /v1/swap');
  const answer = await ask(url, { key: token, body: dear });
  const error = expectError(answer, 402, 'insufficient_quota', 'insufficient_balance');
  expect(error).toMatchObject({ amount_required_msat: held, available_msat: 3000 });
  expectRequest(answer, Math.ceil(held / 1000) + 1);
  expect(answer.headers.get('x-cashu')).toBe(answer.json().payment_request);
  expect(stack.mint.hits('POST /v1/swap')).toBe(swaps);
});

test('a child key at its limit: balance_limit_exceeded', async () => {
  const key = await stack.token(64);
  const made = await ask(`${stack.url}/v1/balance/child-key`, {
    key,
    body: { count: 1, balance_limit: 500 },
  });
  const [child] = made.json<{ api_keys: string[] }>().api_keys;
  const answer = await ask(url, { key: child!, body: dear });
  const error = expectError(answer, 402, 'insufficient_quota', 'balance_limit_exceeded');
  expect(error).toMatchObject({ amount_required_msat: held, available_msat: 500, model: 'stub-chat' });
  expect(answer.headers.get('cache-control')).toBe('no-store');
});

test('a parent too poor for a child key is 402 as well', async () => {
  const answer = await ask(`${stack.url}/v1/balance/child-key`, {
    key: await stack.token(8),
    body: { count: 50 },
  });
  const error = expectError(answer, 402, 'insufficient_quota', 'insufficient_balance');
  expect(error).toMatchObject({ amount_required_msat: 50_000, available_msat: 7000 });
  expectRequest(answer, 43);
});
