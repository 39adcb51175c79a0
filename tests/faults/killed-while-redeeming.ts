import { createHash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { Wallet } from '@cashu/cashu-ts';
import { expect } from 'vitest';
import { type Answer, ask, chat } from '../support/ask.ts';
import { account, rows } from '../support/books.ts';
import { eventually, type Stack, startStack } from '../support/stack.ts';
import { expectConserved, faulty, keyWith } from './money.ts';

/** What a token was brought for. */
type Role = 'create' | 'topup' | 'request';

interface Brought {
  role: Role;
  token: string;
  sats: number;
  /** Whether its client comes again; if not, the sidecar is alone with what it finds. */
  retries: boolean;
}

/** Where a redemption is when the process dies, and how to get it there. */
export interface Step {
  /** Whether the mint ever takes the tokens without being asked again. */
  taken: boolean;
  /** Before the tokens are brought. */
  arm(stack: Stack, tokens: number): void;
  /** Resolves when every one of them is at this step. */
  reached(stack: Stack, tokens: number): Promise<void>;
  /** Runs while the process is dead. */
  after?(stack: Stack): void;
  /** The model never answers what the `request` tokens paid for. */
  hang?: boolean;
}

const swap = 'POST /v1/swap';
const restore = 'POST /v1/restore';
const forever = 600_000;
/** The known key came with a swap of its own. */
const swapsBefore = 1;

const locks = new WeakMap<Stack, DatabaseSync>();

export const steps: Record<string, Step> = {
  'before the mint did anything': {
    taken: false,
    arm({ mint }) {
      mint.fault({ kind: 'drop', path: swap, when: 'before' });
      mint.fault({ kind: 'delay', path: restore, when: 'before', ms: forever });
    },
    reached: (stack, tokens) => asked(stack, restore, tokens),
  },
  'and the mint commits only after that': {
    taken: true,
    arm: ({ mint }) => mint.fault({ kind: 'delay', path: swap, when: 'before', ms: 3000 }),
    reached: (stack, tokens) => asked(stack, swap, swapsBefore + tokens),
  },
  'after the mint committed, before it answered': {
    taken: true,
    arm: ({ mint }) => mint.fault({ kind: 'delay', path: swap, when: 'after', ms: forever }),
    reached: (stack, tokens) => asked(stack, swap, swapsBefore + tokens),
  },
  'after it answered, before the credit was written': {
    taken: true,
    arm: ({ mint }) => mint.fault({ kind: 'delay', path: swap, when: 'after', ms: 1500 }),
    async reached(stack, tokens) {
      await asked(stack, swap, swapsBefore + tokens);
      const lock = new DatabaseSync(stack.database);
      lock.exec('begin immediate');
      locks.set(stack, lock);
      await sleep(3000);
    },
    after: (stack) => locks.get(stack)?.close(),
  },
  'after the credit': {
    taken: true,
    hang: true,
    arm() {},
    async reached(stack, tokens) {
      const credited = () =>
        rows<{ n: number }>(stack, "select count(*) as n from redemption where state = 'credited'");
      await eventually(() => expect(credited()[0]!.n).toBe(swapsBefore + tokens), 20_000);
      const accrued = () => rows<{ n: number }>(stack, 'select count(*) as n from hold where accrued > 0');
      await eventually(() => expect(accrued()[0]!.n).toBe(2), 20_000);
    },
  },
};

/**
 * Brings tokens in every role, kills the sidecar when all of them are at `step`, starts it again, and holds each of them
 * to be credited once, or unspent: never lost, never doubled.
 */
export async function dieWhileRedeeming(step: Step): Promise<void> {
  await using stack = await startStack();
  const known = await keyWith(stack, 1000);
  const brought: Brought[] = [];
  for (const role of ['create', 'topup', 'request'] as const) {
    for (const retries of [true, false]) {
      const sats = 100 + brought.length;
      brought.push({ role, sats, retries, token: await stack.token(sats) });
    }
  }
  const bring = ({ role, token }: Brought, hang = false): Promise<Answer> => {
    if (role === 'create')
      return ask(`${stack.url}/v1/balance/create`, { body: { initial_balance_token: token } });
    if (role === 'topup')
      return ask(`${stack.url}/v1/balance/topup`, { key: known, body: { cashu_token: token } });
    const body = hang ? faulty('hang') : chat();
    return ask(`${stack.url}/v1/chat/completions`, { headers: { 'x-cashu': token }, body });
  };

  step.arm(stack, brought.length);
  const first = brought.map((each) => bring(each, step.hang).catch(() => undefined));
  await step.reached(stack, brought.length);
  await stack.kill();
  await Promise.all(first);
  stack.mint.clearFaults();
  step.after?.(stack);
  await stack.start();

  const retried = brought.filter(({ retries }) => retries);
  const last = await Promise.all(retried.map((each) => untilDecided(() => bring(each))));
  for (const [n, { role }] of retried.entries()) {
    const answer = last[n]!;
    // Its request ran when the process died: it is over, and never run twice.
    if (role === 'request' && step.hang) expect(answer.text).toContain('"cashu_token_already_spent"');
    else expect(answer.status, answer.text).toBe(200);
  }
  const doubtful =
    "select token_hash from redemption where state = 'undecided' union all select id from hold";
  await eventually(() => expect(rows(stack, doubtful)).toEqual([]), 60_000);

  let unspent = 0;
  for (const { role, token, sats, retries } of brought) {
    const worth = (sats - 1) * 1000;
    if (!retries && !step.taken) {
      unspent += await spend(stack, token);
      continue;
    }
    if (role === 'create') {
      const key = `sk-${createHash('sha256').update(token).digest('hex')}`;
      expect(await account(stack, key)).toMatchObject({ balance: worth, reserved: 0 });
    } else if (role === 'request') {
      const change = await ask(`${stack.url}/v1/wallet/refund`, {
        method: 'POST',
        headers: { 'x-cashu': token },
      });
      expect(change.status, change.text).toBe(425);
      const hash = createHash('sha256').update(`redemption${token}`).digest('hex');
      const [owed] = rows<{ amount: number }>(stack, `select amount from refund where account = '${hash}'`);
      // Served, or on its way to the model when the process died: a whole sat. Else all of it comes back.
      expect(owed!.amount).toBe(retries || step.hang ? worth - 1000 : worth);
    }
  }
  const toppedUp = brought.filter(({ role, retries }) => role === 'topup' && (retries || step.taken));
  const expected = toppedUp.reduce((sum, { sats }) => sum + (sats - 1) * 1000, 999_000);
  expect(await account(stack, known)).toMatchObject({ balance: expected, reserved: 0 });
  await expectConserved(stack, unspent);
}

async function asked({ mint }: Stack, path: string, times: number): Promise<void> {
  await eventually(() => expect(mint.hits(path)).toBeGreaterThanOrEqual(times), 20_000);
}

/** Comes again as a client does, as long as it is told to. */
async function untilDecided(again: () => Promise<Answer>): Promise<Answer> {
  for (let tried = 1; ; tried++) {
    const answer = await again();
    const wait = answer.headers.get('retry-after');
    if (wait === null || tried > 60) return answer;
    await sleep(Math.min(Number(wait), 2) * 1000);
  }
}

/** Spends a token at its mint, which only works when nobody else has. Returns the sats that came out. */
async function spend(stack: Stack, token: string): Promise<number> {
  const wallet = new Wallet(stack.mint.url, { unit: 'sat' });
  await wallet.loadMint();
  const proofs = await wallet.receive(token);
  return proofs.reduce((sum, { amount }) => sum + Number(amount), 0);
}
