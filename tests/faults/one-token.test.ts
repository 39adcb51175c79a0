import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Answer, ask, chat } from '../support/ask.ts';
import { account, charges, rows } from '../support/books.ts';
import { expectError, retryAfter } from '../support/expect-error.ts';
import { eventually, type Stack, startStack } from '../support/stack.ts';
import { chatsAsked, expectConserved, faulty, keyWith } from './money.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
beforeEach(() => {
  stack.mint.clearFaults();
  stack.model.forget();
});
afterAll(async () => {
  await expectConserved(stack);
  await stack[Symbol.asyncDispose]();
});

const swap = 'POST /v1/swap';
const twenty = Array.from({ length: 20 });

function pay(token: string, body = chat()): Promise<Answer> {
  return ask(`${stack.url}/v1/chat/completions`, { headers: { 'x-cashu': token }, body });
}

/** Asks again as long as it is told to. */
async function persist(again: () => Promise<Answer>): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    const answer = await again();
    if (answer.headers.get('retry-after') === null || tries > 30) return answer;
    await sleep(Math.min(retryAfter(answer), 1) * 1000);
  }
}

function served(): number {
  return chatsAsked(stack).length;
}

/** msat owed to the owner of an `X-Cashu` token. */
function owed(token: string): number[] {
  const hash = createHash('sha256').update(`redemption${token}`).digest('hex');
  return rows<{ amount: number }>(stack, `select amount from refund where account = '${hash}'`).map(
    ({ amount }) => amount,
  );
}

it.each(['drop', 'html', 'truncated'] as const)(
  'from 20 connections while the mint’s reply is lost (%s): credited once, all have the same account',
  async (kind) => {
    const token = await stack.token(100);
    stack.mint.fault({ kind, path: swap, times: 1 });
    const answers = await Promise.all(
      twenty.map((_, n) =>
        persist(() =>
          n % 2 === 0
            ? ask(`${stack.url}/v1/balance/create`, { body: { initial_balance_token: token } })
            : ask(`${stack.url}/v1/wallet/info`, { key: token }),
        ),
      ),
    );
    const keys = new Set<string>();
    for (const [n, answer] of answers.entries()) {
      expect(answer.status, answer.text).toBe(200);
      const { api_key, balance } = answer.json<{ api_key: string; balance: number }>();
      expect(balance).toBe(99_000);
      if (n % 2 === 0) keys.add(api_key);
    }
    expect(keys.size).toBe(1);
    expect(await account(stack, [...keys][0]!)).toMatchObject({ balance: 99_000 });
  },
);

it('from 20 connections, in different roles: one role wins, the others are told', async () => {
  const known = await keyWith(stack, 10);
  const token = await stack.token(77);
  stack.mint.fault({ kind: 'drop', path: swap, times: 1 });
  const answers = await Promise.all(
    twenty.map((_, n) =>
      persist(() => {
        if (n % 3 === 0) return pay(token);
        if (n % 3 === 1)
          return ask(`${stack.url}/v1/balance/topup`, { key: known, body: { cashu_token: token } });
        return ask(`${stack.url}/v1/balance/create`, { body: { initial_balance_token: token } });
      }),
    ),
  );
  const won = new Set(answers.flatMap(({ status }, n) => (status === 200 ? [n % 3] : [])));
  expect(won.size).toBe(1);
  for (const answer of answers) {
    if (answer.status !== 200) expectError(answer, 400, 'token_already_spent', 'cashu_token_already_spent');
  }
  expect(rows(stack, "select 1 from entry where kind = 'topup' and amount = 76000")).toHaveLength(1);
});

it('X-Cashu from 20 connections at once is served once; the rest is owed', async () => {
  const token = await stack.token(100);
  const known = charges(stack).length;
  stack.mint.fault({ kind: 'drop', path: swap, times: 1 });
  const answers = await Promise.all(twenty.map(() => persist(() => pay(token, faulty('slow=200')))));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  for (const answer of answers) {
    if (answer.status !== 200) expectError(answer, 400, 'token_already_spent', 'cashu_token_already_spent');
  }
  expect(served()).toBe(1);
  expect(charges(stack).length - known).toBe(1);
  expect(owed(token)).toEqual([98_000]);
});

it('X-Cashu again while its request runs waits; after it, it is spent, and its change is owed', async () => {
  const token = await stack.token(100);
  const first = pay(token, faulty('slow=700'));
  await eventually(() => expect(served()).toBe(1));
  const meanwhile = await pay(token);
  expectError(meanwhile, 409, 'invalid_request_error', 'request_running');
  expect(retryAfter(meanwhile)).toBeGreaterThan(0);
  expect((await first).status).toBe(200);
  expectError(await pay(token), 400, 'token_already_spent', 'cashu_token_already_spent');
  const asBearer = await ask(`${stack.url}/v1/wallet/info`, { key: token });
  expectError(asBearer, 400, 'token_already_spent', 'cashu_token_already_spent');
  expect(served()).toBe(1);
  expect(owed(token)).toEqual([98_000]);
});

it.each(['status=500', 'reset=before', 'status=400'])(
  'X-Cashu whose request failed (%s) is not run again: all of it is owed',
  async (fault) => {
    const token = await stack.token(100);
    expect((await pay(token, faulty(fault))).status).toBeGreaterThanOrEqual(400);
    expectError(await pay(token), 400, 'token_already_spent', 'cashu_token_already_spent');
    expect(served()).toBe(1);
    expect(owed(token)).toEqual([99_000]);
    const change = await ask(`${stack.url}/v1/wallet/refund`, {
      method: 'POST',
      headers: { 'x-cashu': token },
    });
    expectError(change, 425, 'invalid_request_error', 'refund_pending');
    expect(owed(token)).toEqual([99_000]);
  },
);

it('X-Cashu after each failure of its mint is served once', async () => {
  const token = await stack.token(100);
  for (const fault of [
    { kind: 'drop', when: 'before' },
    { kind: 'status', when: 'before', status: 429, retryAfter: 1 },
    { kind: 'status', when: 'before', status: 500 },
    { kind: 'html', when: 'before' },
    { kind: 'drop', when: 'after' },
  ] as const) {
    stack.mint.fault({ ...fault, path: swap });
    stack.mint.fault({ kind: 'drop', path: 'POST /v1/restore', when: 'before' });
    const answer = await pay(token);
    expect(answer.status, answer.text).toBe(503);
    expect(retryAfter(answer)).toBeGreaterThan(0);
    expect(answer.headers.get('x-cashu'), 'in doubt: it may be spent').toBeNull();
    stack.mint.clearFaults();
  }
  const answers = await Promise.all(twenty.slice(0, 5).map(() => persist(() => pay(token))));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(served()).toBe(1);
  expect(owed(token)).toEqual([98_000]);
});

it('a token of which one proof is in another token: each proof is credited once', async () => {
  const { getDecodedToken, getEncodedToken, Wallet } = await import('@cashu/cashu-ts');
  const wallet = new Wallet(stack.mint.url, { unit: 'sat' });
  await wallet.loadMint();
  const { proofs } = getDecodedToken(await stack.token(7), wallet.keyChain.getAllKeysetIds());
  const [one, two, four] = proofs.sort((a, b) => Number(a.amount) - Number(b.amount));
  const of = (parts: (typeof one)[]) =>
    getEncodedToken(
      { mint: stack.mint.url, unit: 'sat', proofs: parts.map((part) => part!) },
      { removeDleq: true },
    );
  const create = (token: string) =>
    persist(() => ask(`${stack.url}/v1/balance/create`, { body: { initial_balance_token: token } }));
  stack.mint.fault({ kind: 'drop', path: swap, times: 2 });
  const [small, large] = await Promise.all([create(of([one, two])), create(of([two, four]))]);
  const won = [small, large].filter(({ status }) => status === 200);
  expect(won).toHaveLength(1);
  const lost = small.status === 200 ? large : small;
  expectError(lost, 400, 'token_already_spent', 'cashu_token_already_spent');
  // What was not in it is unspent, and still good.
  const rest = await create(of([small.status === 200 ? four : one]));
  if (small.status === 200) expect(rest.json()).toMatchObject({ balance: 3000 });
  // One sat is not worth its own fee.
  else expect(rest.status).toBe(422);
});
