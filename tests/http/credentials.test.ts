import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Ask, ask, chat } from '../support/ask.ts';
import { account, bought, expectBalanced } from '../support/books.ts';
import { expectError } from '../support/expect-error.ts';
import { openToken, tokenV3 } from '../support/proofs.ts';
import { type Stack, startStack } from '../support/stack.ts';

// A token is its own key from its first use on; whatever else comes is 401, and nothing of it is repeated.
let stack: Stack;

beforeAll(async () => {
  stack = await startStack();
});
afterAll(async () => {
  await expectBalanced(stack);
  await stack[Symbol.asyncDispose]();
});

const pay = (headers: Record<string, string>) =>
  ask(`${stack.url}/v1/chat/completions`, { headers, body: chat() });

test('the first use of a token redeems it, and it goes on paying until it is used up', async () => {
  const token = await stack.token(64);
  const swaps = stack.mint.hits('POST /v1/swap');
  for (let n = 1; n <= 3; n++) {
    expect((await pay({ authorization: `Bearer ${token}` })).status).toBe(200);
    // 64 sats less the mint's fee of one, less 2 + 8 × 2 msat a time.
    expect((await account(stack, token)).balance).toBe(63_000 - n * 18);
  }
  expect(stack.mint.hits('POST /v1/swap')).toBe(swaps + 1);
});

test('wallet/info tells the sk- key of a token, and that key is the same account', async () => {
  const token = await stack.token(64);
  const { api_key: key } = await account(stack, token);
  expect(key).toBe(`sk-${createHash('sha256').update(token).digest('hex')}`);
  await bought(stack, key, () => pay({ authorization: `Bearer ${key}` }));
  expect(await account(stack, key)).toEqual(await account(stack, token));
});

test('one account, however the credential is sent', async () => {
  const token = await stack.token(64);
  const { api_key: key } = await account(stack, token);
  for (const headers of [
    { authorization: `bearer ${key}` },
    { authorization: `BEARER   ${key} ` },
    { 'x-api-key': key },
    { 'x-api-key': token },
    { authorization: `Bearer cashu:${token}` },
    { authorization: `Bearer cashu://${token}` },
    { 'x-api-key': `cashu:${token}` },
  ]) {
    const { answer } = await bought(stack, key, () => pay(headers));
    expect(answer.status, JSON.stringify(Object.keys(headers))).toBe(200);
  }
});

test('a V3 token', async () => {
  const { proofs } = await openToken(stack.mint.url, await stack.token(32));
  const token = tokenV3(stack.mint.url, proofs);
  expect((await account(stack, token)).balance).toBe(31_000);
});

test('X-Cashu comes before Authorization', async () => {
  const key = await stack.token(64);
  const before = await account(stack, key);
  const answer = await pay({ authorization: `Bearer ${key}`, 'x-cashu': await stack.token(32) });
  expect(answer.status).toBe(200);
  expect(await account(stack, key)).toEqual(before);
});

const invalid = 'invalid_request_error';
const nobody = `sk-${randomBytes(32).toString('hex')}`;

test.each<[string, Record<string, string>]>([
  ['a key that nobody has', { authorization: `Bearer ${nobody}` }],
  ['a key that nobody has, in x-api-key', { 'x-api-key': nobody }],
  ['a short key', { authorization: 'Bearer sk-1234' }],
  ['a key in upper case', { authorization: `Bearer ${nobody.toUpperCase()}` }],
  ['another scheme', { authorization: `Basic ${Buffer.from('user:password').toString('base64')}` }],
  ['a scheme alone', { authorization: 'Bearer' }],
  ['two words', { authorization: `Bearer ${nobody} ${nobody}` }],
  ['an empty key', { 'x-api-key': '' }],
])('%s is 401', async (_, headers) => {
  expectError(await pay(headers), 401, invalid, 'invalid_api_key');
  expectError(await ask(`${stack.url}/v1/wallet/info`, { headers }), 401, invalid, 'invalid_api_key');
});

test.each<[string, string, Ask]>([
  ['GET', '/v1/wallet/info', {}],
  ['GET', '/v1/balance/', {}],
  ['GET', '/v1/balance', {}],
  ['GET', '/v1/balance/history', {}],
  ['POST', '/v1/balance/topup', { body: { cashu_token: 'cashuBo2FteB' } }],
  ['POST', '/v1/wallet/refund', { body: {} }],
  ['POST', '/v1/balance/child-key', { body: { count: 1 } }],
  ['POST', '/v1/balance/child-key/reset', { body: { child_key: nobody } }],
  ['POST', '/lightning/invoice', { body: { amount_sats: 10, purpose: 'topup' } }],
])('%s %s without a credential is 401 missing_api_key', async (method, path, request) => {
  const answer = await ask(stack.url + path, { ...request, method });
  expectError(answer, 401, invalid, 'missing_api_key');
});

test('what does not look like a token is refused offline, and not repeated', async () => {
  const asked = stack.mint.hits('POST /v1/swap');
  for (const broken of ['cashuC1234', 'cashuB', 'cashuB!!!!', `cashuA${'z'.repeat(70_000)}`]) {
    const answer = await pay({ authorization: `Bearer ${broken}` });
    expectError(answer, 400, 'invalid_token', 'invalid_cashu_token');
    expect(answer.text).not.toContain(broken);
  }
  for (const undecodable of ['cashuBabcdefgh', 'cashuAe30=', 'cashuAeyJ0b2tlbiI6W119']) {
    const answer = await pay({ 'x-cashu': undecodable });
    expectError(answer, 400, 'invalid_token', 'invalid_cashu_token');
  }
  expect(stack.mint.hits('POST /v1/swap')).toBe(asked);
});
