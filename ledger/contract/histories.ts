import { randomUUIDv7 } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Ledger } from '../ledger.ts';
import type { KeyHash } from '../units.ts';
import * as model from './model.ts';
import type { InWorld } from './world.ts';
import { creditOf, type Database, hash, MINT, memo, newAccount, PROVIDER, type World, y } from './world.ts';

type Action =
  | { do: 'reserve'; account: number; amount: bigint }
  | { do: 'extend' | 'accrue' | 'settle'; hold: number; amount: bigint }
  | { do: 'release'; hold: number }
  | { do: 'topup' | 'refund' | 'change'; account: number }
  | { do: 'reap' };

/** What is asked at once, or the process dies and another takes over. */
type Step = readonly Action[] | 'crash';

const index = fc.nat({ max: 30 });
const amount = fc.bigInt({ min: 0n, max: 12_000n });
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('reserve' as const), account: index, amount }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom('extend' as const, 'accrue' as const, 'settle' as const, 'settle' as const),
      hold: index,
      amount,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('release' as const), hold: index }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('topup' as const, 'refund' as const, 'change' as const),
      account: index,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reap' as const) }) },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 9, arbitrary: fc.array(action, { minLength: 1, maxLength: 12 }) },
  { weight: 1, arbitrary: fc.constant('crash' as const) },
);

export function describeHistories(inWorld: InWorld, inDatabase: () => Database): void {
  test('any history of concurrent operations and crashes does what the model does, and balances', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async (steps) => {
        await using history = await History.begin(inWorld(), inDatabase());
        for (const step of steps) {
          if (step === 'crash') await history.crash();
          else await history.take(step);
        }
        await history.finish();
        await inWorld().expectBalanced();
      }),
      { numRuns: 30 },
    );
  }, 120_000);
}

interface Tracked {
  key: KeyHash;
  tokenHash: string;
  state: model.ModelAccount;
}

/** One history, played to the adapter and to the model. */
class History implements AsyncDisposable {
  readonly #world: World;
  readonly #database: Database;
  readonly #accounts: Tracked[];
  readonly #sessions: model.ModelSession[] = [];
  readonly #holds: model.ModelHold[] = [];
  #ledger: Ledger;

  private constructor(world: World, database: Database, accounts: Tracked[], ledger: Ledger) {
    this.#world = world;
    this.#database = database;
    this.#accounts = accounts;
    this.#ledger = ledger;
  }

  /** A key and its limited child, a limited key and its unlimited child, and two requests. */
  static async begin(world: World, database: Database): Promise<History> {
    const accounts: Tracked[] = [];
    for (const [balance, limit, ofChild] of [
      [30_000n, null, 11_000n],
      [18_000n, 13_000n, null],
    ] as const) {
      const account = newAccount({ limit: limit ?? undefined });
      const key = await world.fund(balance, { target: { role: 'create', account } });
      const parent = model.modelAccount({ balance, limit });
      accounts.push({ key, tokenHash: '', state: parent });
      const child = hash();
      await world.ledger.createChildren({
        parent: key,
        provider: PROVIDER,
        mints: [MINT],
        children: [{ keyHash: child, preview: 'sk-child', limit: ofChild ?? undefined }],
        cost: 0n,
        reference: randomUUIDv7(),
      });
      accounts.push({ key: child, tokenHash: '', state: model.modelAccount({ parent, limit: ofChild }) });
    }
    for (const balance of [10_000n, 7000n]) {
      accounts.push({
        ...(await world.fundRequest(balance)),
        state: model.modelAccount({ kind: 'request', balance }),
      });
    }
    return new History(world, database, accounts, await database.connect(world.clock));
  }

  /** All at once. The adapter decides in the order it was asked, so the model does, too. */
  async take(actions: readonly Action[]): Promise<void> {
    await this.#openSession();
    const asked: [answer: Promise<unknown>, expected: unknown][] = [];
    for (const action of actions) {
      const one = await this.#prepare(action);
      if (one !== undefined) asked.push(one());
    }
    const answers = await Promise.all(asked.map(([answer]) => answer));
    const expected = asked.map(([, expected]) => expected);
    expect(answers).toMatchObject(expected);
  }

  /** Nobody says goodbye: the session stays, with its holds, until it is reaped. */
  async crash(): Promise<void> {
    await this.#ledger.close();
    this.#ledger = await this.#database.connect(this.#world.clock);
    const { id } = await this.#ledger.openSession(PROVIDER);
    this.#sessions.push({ id, fenced: false });
  }

  /** Everybody dies, and every account is as the model says. */
  async finish(): Promise<void> {
    for (const session of this.#sessions) {
      model.reap(session, this.#holds);
      await this.#ledger.reap(session.id, 0n);
    }
    for (const { key, state } of this.#accounts) {
      expect(await this.#ledger.account(key, PROVIDER)).toMatchObject({
        available: model.available(state),
        reserved: 0n,
        spent: state.spent,
        requests: state.requests,
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ledger.close();
  }

  async #openSession(): Promise<void> {
    if (this.#sessions.at(-1)?.fenced !== false) {
      const { id } = await this.#ledger.openSession(PROVIDER);
      this.#sessions.push({ id, fenced: false });
    }
  }

  /** Gives what sends it, or nothing when there is nothing to do it to. */
  async #prepare(action: Action): Promise<(() => [Promise<unknown>, unknown]) | undefined> {
    const ledger = this.#ledger;
    const session = this.#sessions.at(-1)!;
    if (action.do === 'reap') {
      return () => {
        const answer = ledger.reap(session.id, 0n);
        const fenced = !session.fenced;
        return [answer, { fenced, charged: model.reap(session, this.#holds) }];
      };
    }
    if ('account' in action) {
      const { key, tokenHash, state } = this.#accounts[action.account % this.#accounts.length]!;
      switch (action.do) {
        case 'reserve':
          return () => this.#reserve(key, state, session, action.amount);
        case 'topup': {
          if (state.parent !== null || state.kind === 'request') return undefined;
          const begin = this.#world.attempt(5000n, { target: { role: 'topup', account: key } });
          await ledger.beginAttempt(begin);
          return () => {
            state.balance += 5000n;
            const expected = { kind: 'credited', available: model.available(state) };
            return [ledger.creditAttempt(creditOf(begin)), expected];
          };
        }
        case 'refund':
          if (state.parent !== null || state.kind === 'request') return undefined;
          return () => [
            ledger.requestRefund({ id: randomUUIDv7(), account: key, pubkey: y() }),
            model.requestRefund(state),
          ];
        case 'change': {
          if (state.kind !== 'request') return undefined;
          const running = () =>
            this.#holds.some(({ account, state: of }) => account === state && of === 'running');
          return () => [
            ledger.requestChange(tokenHash, randomUUIDv7()),
            model.requestChange(state, running()),
          ];
        }
      }
    }
    return () => this.#onHold(action);
  }

  #reserve(
    account: KeyHash,
    state: model.ModelAccount,
    session: model.ModelSession,
    amount: bigint,
  ): [Promise<unknown>, unknown] {
    const hold = randomUUIDv7();
    const [expected, held] = model.reserve(state, session, hold, amount);
    if (held !== undefined) this.#holds.push(held);
    return [this.#ledger.reserve(this.#world.hold(account, amount, { hold, session: session.id })), expected];
  }

  #onHold(action: Exclude<Action, { account: number } | { do: 'reap' }>): [Promise<unknown>, unknown] {
    const ledger = this.#ledger;
    const hold = this.#holds[action.hold % this.#holds.length];
    if (hold === undefined) {
      const unknown = ledger.settle({ hold: randomUUIDv7(), provider: PROVIDER, cost: 1n, memo });
      return [unknown, { kind: 'unknown_hold' }];
    }
    const session = hold.session.id;
    switch (action.do) {
      case 'extend': {
        const n = hold.n + 1;
        const answer = ledger.extend({ hold: hold.id, session, n, amount: action.amount });
        return [answer, model.extend(hold, n, action.amount)];
      }
      case 'accrue': {
        const answer = ledger.accrue(session, [{ hold: hold.id, accrued: action.amount }]);
        return [answer, model.accrue(hold, action.amount)];
      }
      case 'settle': {
        const answer = ledger.settle({ hold: hold.id, provider: PROVIDER, cost: action.amount, memo });
        return [answer, model.settle(hold, action.amount)];
      }
      case 'release':
        return [ledger.release(hold.id, session), model.release(hold)];
    }
  }
}
