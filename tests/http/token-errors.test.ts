import { getEncodedToken } from '@cashu/cashu-ts';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type RunningMint, startMint } from '../../sqlite-dev/mint/start-mint.ts';
import { mintToken } from '../../sqlite-dev/mint-token.ts';
import { type Answer, ask, chat } from '../support/ask.ts';
import { account, charges, expectBalanced } from '../support/books.ts';
import { expectError, retryAfter } from '../support/expect-error.ts';
import { openToken, tokenV3 } from '../support/proofs.ts';
import { eventually, type Stack, startStack } from '../support/stack.ts';

// What became of a token that is no balance now. One that is certainly unspent comes back in X-Cashu; a spent one never.
let stack: Stack;
let foreign: RunningMint;
let gone: RunningMint;

beforeAll(async () => {
  [foreign, gone] = await Promise.all([startMint(), startMint()]);
  stack = await startStack({ otherMints: [gone.url] });
});
afterEach(() => stack.mint.clearFaults());
afterAll(async () => {
  expect(charges(stack)).toEqual([]);
  await expectBalanced(stack);
  await stack[Symbol.asyncDispose]();
  await foreign.close();
});

/** In every place that takes one, one after the other: at once, each may be told to wait for the other's outcome. */
async function everywhere(token: string): Promise<Answer[]> {
  const completions = `${stack.url}/v1/chat/completions`;
  return [
    await ask(completions, { key: token, body: chat() }),
    await ask(completions, { headers: { 'x-cashu': token }, body: chat() }),
    await ask(`${stack.url}/v1/wallet/info`, { key: token }),
    await ask(`${stack.url}/v1/balance/create`, { body: { initial_balance_token: token } }),
  ];
}

const proofsOf = (token: string) => openToken(stack.mint.url, token);

/** The same proofs, or changed ones, in another wrapping. */
async function rewritten(token: string, change: object = {}): Promise<string> {
  return tokenV3(stack.mint.url, (await proofsOf(token)).proofs, change);
}

test('of a mint that is not taken: its mint is not even asked', async () => {
  const token = await mintToken(foreign.url, 32);
  const before = foreign.stats().hits;
  for (const answer of await everywhere(token)) {
    expectError(answer, 400, 'untrusted_mint', 'cashu_untrusted_source_mint');
    expect(answer.headers.get('x-cashu')).toBe(token);
  }
  expect(foreign.stats().hits).toEqual(before);
});

test('worth no more than the fee of its mint', async () => {
  const token = await stack.token(1);
  for (const answer of await everywhere(token)) {
    expectError(answer, 422, 'mint_error', 'cashu_token_swap_fees_exceed_amount');
    expect(answer.headers.get('x-cashu')).toBe(token);
  }
});

test('worth nothing', async () => {
  const token = await rewritten(await stack.token(2), { amount: 0 });
  for (const answer of await everywhere(token)) {
    expectError(answer, 400, 'cashu_error', 'cashu_token_zero_value');
  }
});

test('spent somewhere else', async () => {
  const token = await stack.token(32);
  await (await proofsOf(token)).wallet.receive(token);
  for (const answer of await everywhere(token)) {
    expectError(answer, 400, 'token_already_spent', 'cashu_token_already_spent');
    expect(answer.headers.get('x-cashu')).toBeNull();
  }
});

test('the same proofs in another wrapping', async () => {
  const token = await stack.token(32);
  const { balance } = await account(stack, token);
  for (const answer of await everywhere(await rewritten(token))) {
    expectError(answer, 400, 'token_already_spent', 'cashu_token_already_spent');
    expect(answer.headers.get('x-cashu')).toBeNull();
  }
  expect((await account(stack, token)).balance).toBe(balance);
});

test('forged: its mint refuses it', async () => {
  const real = await proofsOf(await stack.token(32));
  const token = await rewritten(await stack.token(32), { C: real.proofs[0]!.C });
  const answer = await ask(`${stack.url}/v1/chat/completions`, { key: token, body: chat() });
  expectError(answer, 400, 'cashu_error', 'cashu_token_redemption_failed');
});

test('locked to somebody', async () => {
  const { wallet, proofs } = await proofsOf(await stack.token(32));
  const pubkey = `02${'79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'}`;
  const { send } = await wallet.ops.send(16, proofs).asP2PK({ pubkey }).run();
  const token = getEncodedToken({ mint: stack.mint.url, unit: 'sat', proofs: send });
  const answer = await ask(`${stack.url}/v1/chat/completions`, { key: token, body: chat() });
  const error = expectError(answer, 400, 'invalid_token', 'invalid_cashu_token');
  expect(error.message).toContain('locked');
  expect(answer.headers.get('x-cashu')).toBe(token);
});

test('of a mint that can not be reached: 503, and the token comes back', async () => {
  const token = await mintToken(gone.url, 32);
  await gone.close();
  for (const answer of await everywhere(token)) {
    expectError(answer, 503, 'mint_unreachable', 'cashu_mint_unreachable');
    expect(retryAfter(answer)).toBeGreaterThan(0);
    expect(answer.headers.get('x-cashu')).toBe(token);
  }
});

test('of a mint that is too busy: 503 with its Retry-After', async () => {
  const token = await stack.token(32);
  stack.mint.fault({ kind: 'status', path: 'POST /v1/swap', status: 429, retryAfter: 1, when: 'before' });
  const answer = await ask(`${stack.url}/v1/wallet/info`, { key: token });
  expectError(answer, 503, 'mint_rate_limited', 'cashu_mint_rate_limited');
  expect(retryAfter(answer)).toBe(1);
  expect(answer.headers.get('x-cashu')).toBeNull();
  stack.mint.clearFaults();
  await eventually(async () => {
    expect((await ask(`${stack.url}/v1/wallet/info`, { key: token })).json()).toMatchObject({
      balance: 31_000,
    });
  });
});

test('in doubt: 503 until the mint tells, then credited once', async () => {
  const token = await stack.token(32);
  stack.mint.fault({ kind: 'drop', path: 'POST /v1/swap', when: 'after', times: 1 });
  for (const path of ['POST /v1/swap', 'POST /v1/restore', 'POST /v1/checkstate']) {
    stack.mint.fault({ kind: 'status', path, status: 503, when: 'before' });
  }
  const doubtful = await ask(`${stack.url}/v1/chat/completions`, { key: token, body: chat(2000) });
  expectError(doubtful, 503, 'mint_unreachable', 'cashu_redemption_pending');
  expect(retryAfter(doubtful)).toBeGreaterThan(0);
  expect(doubtful.headers.get('x-cashu')).toBeNull();

  stack.mint.clearFaults();
  const found = await Promise.all([1, 2, 3].map(() => ask(`${stack.url}/v1/wallet/info`, { key: token })));
  for (const answer of found) expect(answer.json()).toMatchObject({ balance: 31_000 });
});
