import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, chat } from '../support/ask.ts';
import { account, charges, expectBalanced } from '../support/books.ts';
import { expectError } from '../support/expect-error.ts';
import { type Stack, startStack } from '../support/stack.ts';

// A child key spends its parent's money, within limits of its own.
let stack: Stack;

beforeAll(async () => {
  stack = await startStack();
});
afterAll(async () => {
  await expectBalanced(stack);
  await stack[Symbol.asyncDispose]();
});

const invalid = 'invalid_request_error';
/** What `chat()` costs, which is also what is held for it. */
const price = 18;

interface Made {
  api_keys: string[];
  count: number;
  cost_msats: number;
  cost_sats: number;
  parent_balance: number;
  parent_balance_sats: number;
}

async function children(parent: string, body: object): Promise<string[]> {
  const answer = await ask(`${stack.url}/v1/balance/child-key`, { key: parent, body });
  expect(answer.status, answer.text).toBe(200);
  return answer.json<Made>().api_keys;
}

function spend(key: string) {
  return ask(`${stack.url}/v1/chat/completions`, { key, body: chat() });
}

async function parent(sats = 128): Promise<string> {
  return (await account(stack, await stack.token(sats))).api_key;
}

test('making child keys costs what /v1/info says', async () => {
  const key = await parent();
  const { child_key_cost_msats: each } = (await ask(`${stack.url}/v1/info`)).json<{
    child_key_cost_msats: number;
  }>();
  const answer = await ask(`${stack.url}/v1/wallet/child-key`, { key, body: { count: 3 } });
  const made = answer.json<Made>();
  expect(made).toEqual({
    api_keys: expect.any(Array),
    count: 3,
    cost_msats: 3 * each,
    cost_sats: 3,
    parent_balance: 127_000 - 3 * each,
    parent_balance_sats: 124,
  });
  expect(new Set(made.api_keys).size).toBe(3);
  for (const child of made.api_keys) expect(child).toMatch(/^sk-[0-9a-f]{64}$/);
  expect((await account(stack, key)).balance).toBe(made.parent_balance);
});

test("a child's request is charged to the parent", async () => {
  const key = await parent();
  const [child] = await children(key, { count: 1, balance_limit: 1000, balance_limit_reset: 'daily' });
  const before = await account(stack, key);
  const known = charges(stack).length;
  expect((await spend(child!)).status).toBe(200);
  expect((await account(stack, key)).balance).toBe(before.balance - price);
  expect(charges(stack).slice(known)).toMatchObject([{ msat: price }]);
  expect(await account(stack, child!)).toMatchObject({
    api_key: child,
    is_child: true,
    balance: 1000 - price,
    balance_limit: 1000,
    balance_limit_reset: 'daily',
    total_spent: price,
    total_requests: 1,
  });
});

test('a parent sees its children, but not their keys', async () => {
  const key = await parent();
  const [child] = await children(key, { count: 1, balance_limit: 1000 });
  const answer = await ask(`${stack.url}/v1/wallet/info`, { key });
  const { child_keys } = answer.json<{ child_keys: { api_key: string }[] }>();
  expect(child_keys).toMatchObject([
    { is_child: true, balance_limit: 1000, api_key: `${child!.slice(0, 8)}…` },
  ]);
  expect(answer.text).not.toContain(child!.slice(10));
});

test('a limit holds under concurrency, and starts again after a reset', async () => {
  const key = await parent();
  const [child] = await children(key, { count: 1, balance_limit: 5 * price });
  const before = await account(stack, key);
  const answers = await Promise.all(Array.from({ length: 40 }, () => spend(child!)));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(5);
  for (const answer of answers.filter(({ status }) => status !== 200)) {
    expectError(answer, 402, 'insufficient_quota', 'balance_limit_exceeded');
  }
  expect((await account(stack, key)).balance).toBe(before.balance - 5 * price);
  expect(await account(stack, child!)).toMatchObject({ balance: 0, reserved: 0 });

  const reset = await ask(`${stack.url}/v1/balance/child-key/reset`, { key, body: { child_key: child } });
  expect(reset.json()).toEqual({ success: true, message: expect.any(String) });
  expect((await spend(child!)).status).toBe(200);
});

test('a child never gets more than its parent has', async () => {
  const key = await parent(4);
  const [child] = await children(key, { count: 1 });
  const left = (await account(stack, key)).balance;
  const most = Math.floor(left / price);
  const answers = await Promise.all(Array.from({ length: most + 20 }, () => spend(child!)));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(most);
  for (const answer of answers.filter(({ status }) => status !== 200)) {
    expectError(answer, 402, 'insufficient_quota', 'insufficient_balance');
  }
});

test('after its validity date a child is 403', async () => {
  const key = await parent();
  const [late, valid] = [
    ...(await children(key, { count: 1, validity_date: 1_700_000_000 })),
    ...(await children(key, { count: 1, validity_date: Math.floor(Date.now() / 1000) + 3600 })),
  ];
  expectError(await spend(late!), 403, invalid, 'key_expired');
  expect((await spend(valid!)).status).toBe(200);
});

test('a child can neither make children, nor be topped up, nor refund, nor reset itself', async () => {
  const key = await parent();
  const [child, sibling] = await children(key, { count: 2, balance_limit: 100 });
  const as = { key: child! };
  const base = `${stack.url}/v1/balance`;
  expectError(await ask(`${base}/child-key`, { ...as, body: { count: 1 } }), 400, invalid, 'child_key');
  expectError(await ask(`${base}/refund`, { ...as, body: {} }), 400, invalid, 'child_key');
  const token = await stack.token(16);
  const topup = await ask(`${base}/topup`, { ...as, body: { cashu_token: token } });
  expectError(topup, 400, invalid, 'child_key');
  expect(topup.headers.get('x-cashu')).toBe(token);
  for (const child_key of [child, sibling, key]) {
    const reset = await ask(`${base}/child-key/reset`, { ...as, body: { child_key } });
    expectError(reset, 404, invalid, 'invalid_request');
  }
});

test("nobody resets another customer's child", async () => {
  const [child] = await children(await parent(), { count: 1, balance_limit: price });
  expect((await spend(child!)).status).toBe(200);
  const stranger = await parent();
  const reset = await ask(`${stack.url}/v1/balance/child-key/reset`, {
    key: stranger,
    body: { child_key: child },
  });
  expectError(reset, 404, invalid, 'invalid_request');
  expectError(await spend(child!), 402, 'insufficient_quota', 'balance_limit_exceeded');
});

test.each<[string, object]>([
  ['none', { count: 0 }],
  ['more than 50', { count: 51 }],
  ['half a key', { count: 1.5 }],
  ['no number', {}],
  ['a negative limit', { count: 1, balance_limit: -1 }],
  ['an unknown reset', { count: 1, balance_limit: 5, balance_limit_reset: 'hourly' }],
  ['a date as text', { count: 1, validity_date: '2030-01-01' }],
])('%s is 400, and costs nothing', async (_, body) => {
  const key = await parent();
  const before = await account(stack, key);
  const answer = await ask(`${stack.url}/v1/balance/child-key`, { key, body });
  expectError(answer, 400, invalid, 'invalid_request');
  expect(await account(stack, key)).toEqual(before);
});
