import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Wallet } from '@cashu/cashu-ts';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Fault } from '../../sqlite-dev/mint/faults.ts';
import { startMint } from '../../sqlite-dev/mint/start-mint.ts';
import { mintToken } from '../../sqlite-dev/mint-token.ts';
import { type Answer, ask, chat } from '../support/ask.ts';
import { account, rows } from '../support/books.ts';
import { expectError, retryAfter } from '../support/expect-error.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { expectConserved, keyWith } from './money.ts';

let stack: Stack;
let unspent = 0;
beforeAll(async () => {
  stack = await startStack();
  // The mint is known by now: what fails below is the redemption itself.
  await keyWith(stack, 10);
});
afterEach(() => stack.mint.clearFaults());
afterAll(async () => {
  await expectConserved(stack, unspent);
  await stack[Symbol.asyncDispose]();
});

const swap = 'POST /v1/swap';
const restore = 'POST /v1/restore';
const state = 'POST /v1/checkstate';

function create(token: string, at = stack): Promise<Answer> {
  return ask(`${at.url}/v1/balance/create`, { body: { initial_balance_token: token } });
}

async function persist(token: string, at = stack): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    const answer = await create(token, at);
    if (answer.headers.get('retry-after') === null || tries > 40) return answer;
    await sleep(Math.min(retryAfter(answer), 1) * 1000);
  }
}

/** Still in doubt: the client keeps its token, and is told when to come again. Nothing says that the token is good. */
function expectInDoubt(answer: Answer, code = 'cashu_redemption_pending'): void {
  const type = code === 'cashu_mint_rate_limited' ? 'mint_rate_limited' : 'mint_unreachable';
  expectError(answer, 503, type, code);
  expect(retryAfter(answer)).toBeGreaterThan(0);
  expect(answer.headers.get('x-cashu')).toBeNull();
}

describe('one bad answer to a swap is got over while the client waits', () => {
  const bad: Omit<Fault, 'path'>[] = [
    { kind: 'drop', when: 'before' },
    { kind: 'drop', when: 'after' },
    { kind: 'status', when: 'before', status: 500 },
    { kind: 'status', when: 'after', status: 502 },
    { kind: 'status', when: 'after', status: 400, code: 11001 },
    { kind: 'status', when: 'after', status: 400, code: 11003 },
    { kind: 'html', when: 'before' },
    { kind: 'html', when: 'after' },
    { kind: 'truncated' },
    { kind: 'huge', bytes: 4_000_000 },
    { kind: 'signatures', defect: 'wrong_dleq' },
    { kind: 'signatures', defect: 'no_dleq' },
    { kind: 'signatures', defect: 'wrong_amount' },
    { kind: 'signatures', defect: 'wrong_keyset' },
    { kind: 'signatures', defect: 'missing' },
  ] as Omit<Fault, 'path'>[];

  it.each(bad.map((fault) => [JSON.stringify(fault), fault] as const))('%s', async (_, fault) => {
    const token = await stack.token(100);
    stack.mint.fault({ ...fault, path: swap, times: 1 } as Fault);
    const answer = await persist(token);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.json()).toMatchObject({ balance: 99_000 });
    expect((await create(token)).json()).toMatchObject({ balance: 99_000 });
  });

  it('a redirect, which is not followed', async () => {
    let asked = 0;
    const elsewhere = createServer((_, response) => {
      asked++;
      response.end('{}');
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => elsewhere.once('listening', resolve));
    const location = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`;
    const token = await stack.token(100);
    stack.mint.fault({ kind: 'redirect', when: 'before', location, path: swap, times: 1 });
    expect((await persist(token)).json()).toMatchObject({ balance: 99_000 });
    expect(asked).toBe(0);
    elsewhere.close();
  });
});

describe('a mint that stays bad keeps the client waiting, and is forgiven', () => {
  it('that limits us', async () => {
    const token = await stack.token(100);
    stack.mint.fault({ kind: 'status', when: 'before', status: 429, retryAfter: 1, path: swap, times: 1 });
    expectInDoubt(await create(token), 'cashu_mint_rate_limited');
    expect((await persist(token)).json()).toMatchObject({ balance: 99_000 });
  });

  it.each(['nothing', 'half'] as const)('whose restore finds %s', async (finds) => {
    const token = await stack.token(100);
    stack.mint.fault({ kind: 'drop', when: 'after', path: swap });
    stack.mint.fault({ kind: 'restore', finds, path: restore });
    const answer = await create(token);
    if (finds === 'half') expectInDoubt(answer);
    else expectError(answer, 400, 'token_already_spent', 'cashu_token_already_spent');
    expect(answer.headers.get('x-cashu')).toBeNull();
    stack.mint.clearFaults();
    expect((await persist(token)).json()).toMatchObject({ balance: 99_000 });
  });

  it.each(['wrong_dleq', 'wrong_amount', 'wrong_keyset'] as const)(
    'whose restored signatures are bad, too (%s)',
    async (defect) => {
      const token = await stack.token(100);
      stack.mint.fault({ kind: 'signatures', defect, path: swap });
      stack.mint.fault({ kind: 'signatures', defect, path: restore });
      expectInDoubt(await create(token));
      expect(metric(await ask(`${stack.admin}/metrics`), 'mint_contradicts_itself')).toBeGreaterThan(0);
      stack.mint.clearFaults();
      expect((await persist(token)).json()).toMatchObject({ balance: 99_000 });
    },
  );

  it.each([restore, state])('that does not answer %s', async (path) => {
    const token = await stack.token(100);
    stack.mint.fault({ kind: 'drop', when: 'after', path: swap, times: 1 });
    stack.mint.fault({ kind: 'status', when: 'before', status: 503, path });
    expectInDoubt(await create(token));
    stack.mint.clearFaults();
    expect((await persist(token)).json()).toMatchObject({ balance: 99_000 });
  });

  it.each(['done', 'failed'] as const)('whose swap is pending and then %s', async (outcome) => {
    const token = await stack.token(100);
    stack.mint.fault({ kind: 'pending', ms: 2500, outcome, path: swap, times: 1 });
    expectInDoubt(await create(token));
    expect((await persist(token)).json()).toMatchObject({ balance: 99_000 });
  });
});

describe('a token that is not good', () => {
  it('spent by its client before: 400, and never credited', async () => {
    const token = await stack.token(100);
    unspent += await spendAt(token);
    for (let tries = 0; tries < 2; tries++) {
      const answer = await create(token);
      expectError(answer, 400, 'token_already_spent', 'cashu_token_already_spent');
      expect(answer.headers.get('x-cashu')).toBeNull();
    }
  });

  it('refused by its mint and unspent: it is handed back, and good again later', async () => {
    const token = await stack.token(100);
    stack.mint.fault({ kind: 'status', when: 'before', status: 400, code: 11005, path: swap });
    const answer = await create(token);
    expectError(answer, 400, 'cashu_error', 'cashu_token_redemption_failed');
    expect(answer.headers.get('x-cashu')).toBe(token);
    stack.mint.clearFaults();
    expect((await persist(token)).json()).toMatchObject({ balance: 99_000 });
  });
});

describe.concurrent('with a mint of their own', () => {
  it('a reply that drips in is not waited for', async () => {
    await using own = await startStack();
    const token = await own.token(100);
    own.mint.fault({ kind: 'drip', ms: 500, path: swap, times: 1 });
    expect((await persist(token, own)).json()).toMatchObject({ balance: 99_000 });
    await expectConserved(own);
  });

  it('a keyset rotated between the look at a token and its swap: the old token is good, at its own fee', async () => {
    await using own = await startStack();
    const known = await keyWith(own, 100);
    const old = await own.token(100);
    own.mint.rotate({ unit: 'sat', inputFeePpk: 700 });
    expect((await persist(old, own)).json()).toMatchObject({ balance: 99_000 });
    const fresh = await own.token(127);
    // Seven proofs at 0.7 sat.
    expect((await persist(fresh, own)).json()).toMatchObject({ balance: 122_000 });
    expect((await account(own, known)).balance).toBe(99_000);
    await expectConserved(own);
  });

  it('a keyset near its end is not taken, and its token is left alone', async () => {
    await using own = await startStack();
    await keyWith(own, 10);
    own.mint.rotate({ unit: 'sat', inputFeePpk: 100, finalExpiry: Math.floor(Date.now() / 1000) + 1800 });
    const token = await own.token(100);
    const answer = await persist(token, own);
    expectError(answer, 400, 'cashu_error', 'cashu_token_redemption_failed');
    expect(answer.headers.get('x-cashu')).toBe(token);
    expect(own.mint.hits(swap)).toBe(1);
    await expectConserved(own, 100);
  });
  it('a mint that is down and comes back: nothing is spent meanwhile, later tries succeed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mint-'));
    const options = { database: join(folder, 'mint.sqlite'), inputFeePpk: 100 };
    let mint = await startMint(options);
    await using own = await startStack({ env: { CASHU_MINTS: mint.url } });
    const [first, second, paying] = await Promise.all([1, 2, 3].map(() => mintToken(mint.url, 100)));
    expect((await create(first!, own)).json()).toMatchObject({ balance: 99_000 });
    const port = Number(new URL(mint.url).port);
    await mint.close();

    const down = await create(second!, own);
    expectError(down, 503, 'mint_unreachable', 'cashu_mint_unreachable');
    expect(retryAfter(down)).toBeGreaterThan(0);
    expect(down.headers.get('x-cashu'), 'certainly unspent').toBe(second);
    const unpaid = await ask(`${own.url}/v1/chat/completions`, {
      headers: { 'x-cashu': paying! },
      body: chat(),
    });
    expectError(unpaid, 503, 'mint_unreachable', 'cashu_mint_unreachable');
    expect(unpaid.headers.get('x-cashu')).toBe(paying);
    // What is in already needs no mint.
    const served = await ask(`${own.url}/v1/chat/completions`, { key: first!, body: chat() });
    expect(served.status).toBe(200);

    mint = await startMint({ ...options, port });
    expect((await persist(second!, own)).json()).toMatchObject({ balance: 99_000 });
    const paid = await ask(`${own.url}/v1/chat/completions`, {
      headers: { 'x-cashu': paying! },
      body: chat(),
    });
    expect(paid.status).toBe(200);
    const { outstanding } = mint.stats().units.sat!;
    const [held] = rows<{ sats: number }>(
      own,
      "select sum(amount) as sats from proof where state = 'unspent'",
    );
    expect(held!.sats).toBe(outstanding);
    expect(await own.audit()).toMatchObject({ balanced: true, undecided: 0 });
    await mint.close();
    await rm(folder, { recursive: true });
  });
});

function metric(answer: Answer, event: string): number {
  return Number(new RegExp(`event="${event}"\\} (\\d+)`).exec(answer.text)?.[1] ?? 0);
}

/** Swaps a token at its mint, as its owner may. Returns the sats that came out. */
async function spendAt(token: string): Promise<number> {
  const wallet = new Wallet(stack.mint.url, { unit: 'sat' });
  await wallet.loadMint();
  const proofs = await wallet.receive(token);
  return proofs.reduce((sum, { amount }) => sum + Number(amount), 0);
}
