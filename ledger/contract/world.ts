import { createHash, randomUUIDv7 } from 'node:crypto';
import { expect } from 'vitest';
import type { NewAccount } from '../account.ts';
import type { Book } from '../audit.ts';
import type { ChargeMemo, Reserve, ReserveResult, SettleResult } from '../hold.ts';
import type { Ledger } from '../ledger.ts';
import type { BeginAttempt, LockedProof } from '../redemption.ts';
import type { Session } from '../session.ts';
import type { KeyHash, Msat } from '../units.ts';

/** A database under test. The suite never looks inside it. */
export interface Database {
  /** Another process's ledger on the same database. The suite closes it. */
  connect(clock: { now(): number }): Promise<Ledger>;
  remove(): Promise<void>;
}

export const MINT = 'https://mint.example';
export const OTHER_MINT = 'https://other-mint.example';
export const PROVIDER = 'cluster/shop/llama';
export const OTHER_PROVIDER = 'cluster/shop/qwen';

/** Tuesday, 2025-01-14 12:00 UTC. */
export const NOON = Date.UTC(2025, 0, 14, 12);

export const memo: ChargeMemo = {
  model: 'llama-3.1-8b',
  path: '/v1/chat/completions',
  inputMsat: 100n,
  outputMsat: 200n,
  inputTokens: 10,
  outputTokens: 20,
  estimated: false,
};

/** A ledger, a session on it, and the things tests do again and again. All tests of a suite share the database. */
export class World {
  readonly ledger: Ledger;
  readonly clock: TestClock;
  readonly session: Session;

  private constructor(ledger: Ledger, clock: TestClock, session: Session) {
    this.ledger = ledger;
    this.clock = clock;
    this.session = session;
  }

  static async on(database: Database): Promise<World> {
    const clock = new TestClock();
    const ledger = await database.connect(clock);
    return new World(ledger, clock, await ledger.openSession(PROVIDER));
  }

  /** A token of `net` msat, on its way in; `over` changes what it is used for. */
  attempt(net: Msat, over: Partial<BeginAttempt> = {}): BeginAttempt {
    return {
      attempt: randomUUIDv7(),
      tokenHash: hash(),
      target: { role: 'create', account: newAccount() },
      provider: PROVIDER,
      session: this.session.id,
      mint: MINT,
      unit: 'sat',
      gross: net + 1000n,
      fee: 1000n,
      inputYs: [y(), y()],
      outputYs: [y(), y()],
      outputs: '[]',
      ...over,
    };
  }

  /** An account with `amount` msat. */
  async fund(amount: Msat, over: Partial<BeginAttempt> = {}): Promise<KeyHash> {
    const begin = this.attempt(amount, over);
    expect(await this.ledger.beginAttempt(begin)).toEqual({ kind: 'begun' });
    expect(await this.ledger.creditAttempt(creditOf(begin))).toMatchObject({ kind: 'credited', amount });
    return begin.target.role === 'topup' ? begin.target.account : begin.target.account.keyHash;
  }

  /** The account of an `X-Cashu` request. */
  async fundRequest(
    amount: Msat,
    over: Partial<BeginAttempt> = {},
  ): Promise<{ key: KeyHash; tokenHash: string }> {
    const tokenHash = hash();
    const target = { role: 'request', account: newAccount(), refundPubkey: `02${hash()}` } as const;
    return { key: await this.fund(amount, { tokenHash, target, ...over }), tokenHash };
  }

  hold(account: KeyHash, amount: Msat, over: Partial<Reserve> = {}): Reserve {
    return {
      hold: randomUUIDv7(),
      account,
      amount,
      accrued: 0n,
      provider: PROVIDER,
      session: this.session.id,
      mints: [MINT],
      priced: 'catalogue-1',
      ...over,
    };
  }

  async reserve(account: KeyHash, amount: Msat, over: Partial<Reserve> = {}): Promise<string> {
    const hold = this.hold(account, amount, over);
    expect(await this.ledger.reserve(hold)).toMatchObject({
      kind: 'reserved',
    } satisfies Partial<ReserveResult>);
    return hold.hold;
  }

  settle(hold: string, cost: Msat): Promise<SettleResult> {
    return this.ledger.settle({ hold, provider: PROVIDER, cost, memo });
  }

  async available(account: KeyHash, provider = PROVIDER): Promise<Msat | undefined> {
    return (await this.ledger.account(account, provider))?.available;
  }

  /** Reaps `session` as an observer would that saw it stand still. */
  async reap(session: Session) {
    const beats = await this.ledger.observeSessions(this.session.id);
    const beat = beats.find(({ id }) => id === session.id);
    if (beat === undefined) throw new Error('Not alive');
    return this.ledger.reap(session.id, beat.counter);
  }

  /** The books of the mint and unit that most tests use. */
  async book(): Promise<Book> {
    const { books } = await this.ledger.audit();
    return books.find(({ mint, unit }) => mint === MINT && unit === 'sat')!;
  }

  async expectBalanced(): Promise<void> {
    const { violations, balanced } = await this.ledger.audit();
    expect(violations).toEqual([]);
    expect(balanced).toBe(true);
  }
}

class TestClock {
  #now = NOON;

  now(): number {
    return this.#now;
  }

  advance(ms: number): void {
    this.#now += ms;
  }

  set(now: number): void {
    this.#now = now;
  }
}

/** Some SHA-256. */
export function hash(): string {
  return createHash('sha256').update(randomUUIDv7()).digest('hex');
}

/** Some point on the curve, as far as the ledger cares. */
export function y(): string {
  return `02${hash()}`;
}

export function newAccount(over: Partial<NewAccount> = {}): NewAccount {
  return { keyHash: hash(), preview: 'sk-01234', refundMinimum: 2000n, ...over };
}

/** What the mint gives for an attempt: all of its value in the first output. */
export function creditOf(begin: BeginAttempt): { attempt: string; proofs: LockedProof[] } {
  const net = begin.gross - begin.fee;
  const amount = begin.unit === 'sat' ? net / 1000n : net;
  const proof = { keyset: '00ad268c4d1f5826', secret: hash(), c: y(), dleq: null };
  return { attempt: begin.attempt, proofs: [{ ...proof, y: begin.outputYs[0]!, amount }] };
}

/** Gives the suite's world, which exists once its tests run. */
export type InWorld = () => World;
