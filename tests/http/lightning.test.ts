import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask } from '../support/ask.ts';
import { account, expectBalanced, rows } from '../support/books.ts';
import { expectError, retryAfter } from '../support/expect-error.ts';
import { type Stack, startStack } from '../support/stack.ts';

// Invoices are the wallet's. Without one the wish stays in the ledger, and its customer may ask again.
let stack: Stack;
let key: string;

beforeAll(async () => {
  stack = await startStack();
  ({ api_key: key } = await account(stack, await stack.token(64)));
});
afterAll(async () => {
  await expectBalanced(stack);
  await stack[Symbol.asyncDispose]();
});

const invalid = 'invalid_request_error';

interface Row {
  state: string;
  purpose: string;
  account: string;
  amount: number;
  mint: string;
}

function invoices(): Row[] {
  return rows(stack, 'select state, purpose, account, amount, mint from invoice order by created_at, amount');
}

test.each(['/lightning', '/v1/balance/lightning'])('%s/invoice is 503 and leaves a row', async (base) => {
  const known = invoices().length;
  const create = await ask(`${stack.url}${base}/invoice`, { body: { amount_sats: 21, purpose: 'create' } });
  expectError(create, 503, 'server_error', 'wallet_unavailable');
  expect(retryAfter(create)).toBeGreaterThan(0);
  const topup = await ask(`${stack.url}${base}/invoice`, {
    key,
    body: { amount_sats: 42, purpose: 'topup' },
  });
  expectError(topup, 503, 'server_error', 'wallet_unavailable');
  const common = { state: 'requested', mint: stack.mint.url };
  expect(invoices().slice(known)).toEqual([
    { ...common, purpose: 'create', amount: 21_000, account: expect.stringMatching(/^[0-9a-f]{64}$/) },
    { ...common, purpose: 'topup', amount: 42_000, account: createHash('sha256').update(key).digest('hex') },
  ]);
});

test.each<[string, object]>([
  ['nothing', {}],
  ['no sats', { amount_sats: 0, purpose: 'create' }],
  ['half a sat', { amount_sats: 0.5, purpose: 'create' }],
  ['more than there is', { amount_sats: 100_000_001, purpose: 'create' }],
  ['another purpose', { amount_sats: 5, purpose: 'gift' }],
])('an invoice over %s is 400', async (_, body) => {
  expectError(await ask(`${stack.url}/lightning/invoice`, { body }), 400, invalid, 'invalid_request');
});

test('a top-up needs a key of its own', async () => {
  const body = { amount_sats: 5, purpose: 'topup' };
  const url = `${stack.url}/lightning/invoice`;
  expectError(await ask(url, { body }), 401, invalid, 'missing_api_key');
  expectError(await ask(url, { key: `sk-${'0'.repeat(64)}`, body }), 401, invalid, 'invalid_api_key');
  const made = await ask(`${stack.url}/v1/balance/child-key`, { key, body: { count: 1 } });
  const [child] = made.json<{ api_keys: string[] }>().api_keys;
  expectError(await ask(url, { key: child!, body }), 400, invalid, 'child_key');
});

test('the status of an invoice that nobody has is 404', async () => {
  for (const base of ['/lightning', '/v1/balance/lightning']) {
    for (const id of ['0'.repeat(32), 'lnbc1pexample', '1', 'A'.repeat(32), `${'0'.repeat(31)}g`]) {
      const answer = await ask(`${stack.url}${base}/invoice/${id}/status`);
      expectError(answer, 404, invalid, 'invoice_not_found');
    }
  }
});

test('the ledger never has the id that its key is made of', async () => {
  // Only its hash: who reads the ledger can not claim what a customer pays in.
  const ids = rows<{ id_hash: string }>(stack, 'select id_hash from invoice');
  expect(ids.length).toBeGreaterThan(0);
  for (const { id_hash } of ids) {
    expect(id_hash).toMatch(/^[0-9a-f]{64}$/);
    const answer = await ask(`${stack.url}/lightning/invoice/${id_hash.slice(0, 32)}/status`);
    expectError(answer, 404, invalid, 'invoice_not_found');
  }
});
