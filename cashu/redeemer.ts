import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { CryptoPool } from './crypto-pool.ts';
import { CashuError } from './errors.ts';
import type { OnRedeemerEvent } from './events.ts';
import { type IncomingToken, readIncomingToken } from './incoming-token.ts';
import { parsePublicKey, parseViewKey } from './keys.ts';
import { MintError } from './mint-error.ts';
import { MintList, type MintListing, type MintStatus } from './mint-list.ts';
import { OutputMaker } from './output-maker.ts';
import { type RecoveryReport, recoverUndecided } from './recover-undecided.ts';
import { accountOf, type Credited, creditOf, Redemption } from './redemption.ts';
import { beforeSwap, inDoubt, type RedemptionContext } from './redemption-context.ts';
import type { Msat, RedemptionStore, RedemptionTarget } from './redemption-store.ts';
import { sooner } from './sooner.ts';

export interface RedeemerOptions {
  /** The ledger. */
  store: RedemptionStore;
  /** Tokens of other mints are refused, and nothing is ever fetched from them. */
  mints: readonly MintListing[];
  /** The wallet's public key, compressed hex: only it can spend what comes in. */
  lockKey: string;
  /** 32 bytes hex. With it, outputs can be found again when the ledger is lost. */
  viewKey?: string | undefined;
  /** Who earns, as the ledger knows it. */
  provider: string;
  /** This process's session as of now. */
  session: () => { id: string; number: bigint };
  /** Unix ms. */
  clock: { now(): number };
  /** For outputs without a view key. Default: the platform's. */
  random?: ((bytes: number) => Uint8Array) | undefined;
  /** Most msat to hold at any one mint. */
  maxExposure?: Msat | undefined;
  onEvent: OnRedeemerEvent;
  /** Redemptions that one mint is asked for in a second. Default 10, six times that at once. */
  redemptionsPerSecond?: number | undefined;
  /** Threads for the curve arithmetic. Default 1. */
  threads?: number | undefined;
  /** For one call to a mint, ms. Default 15,000. */
  mintTimeout?: number | undefined;
}

/** Who brings a token. */
interface Bringer {
  /** Has an account here already: served first when what a mint may be asked runs low. */
  known: boolean;
}

export type { Credited, MintListing };

/** Turns tokens into balance. Several processes may do so on one ledger. */
export interface Redeemer {
  /**
   * What a token would be worth, without asking its mint about it.
   * @throws CashuError. Its `spendable` knows nothing of what the ledger knows: a token redeemed earlier passes here.
   */
  inspect(token: string, signal: AbortSignal): Promise<IncomingToken>;
  /**
   * Redeems a token into an account, once, whoever brings it and however often. `signal` ends the waiting, not the work.
   * @throws CashuError, what the ledger throws, or the signal's reason
   */
  redeem(
    token: IncomingToken,
    target: RedemptionTarget,
    bringer: Bringer,
    signal: AbortSignal,
  ): Promise<Credited>;
  /** One pass over what is in doubt. To be called at start and every few seconds; readiness need not wait for it. */
  recover(signal: AbortSignal): Promise<RecoveryReport>;
  /**
   * Replaces the list of mints.
   * @throws TypeError for a URL that no mint can have
   */
  setMints(mints: readonly MintListing[]): void;
  mintStatus(): MintStatus[];
  /** Asks the mints what they can do, and needs no thread for it. Never fails. */
  describeMints(signal: AbortSignal): Promise<MintStatus[]>;
  /** Starts the thread and asks the mints for their keysets, so that the first token need not wait. Never fails. */
  warm(signal: AbortSignal): Promise<void>;
  /** Waits a moment for what is under way and closes all connections. */
  close(): Promise<void>;
}

/** How long (ms) a closing process waits for swaps under way. Then it leaves as in a crash: nothing is lost, it is in doubt. */
const closingGrace = 5_000;

/** @throws TypeError when a key or a mint's URL is malformed */
export function createRedeemer(options: RedeemerOptions): Redeemer {
  return new SwappingRedeemer(options);
}

/** A redemption under way in this process. Recovery has no target: nobody can share its result. */
interface Flight {
  target: RedemptionTarget | undefined;
  done: Promise<Credited | undefined>;
}

class SwappingRedeemer implements Redeemer {
  readonly #crypto: CryptoPool;
  readonly #mints: MintList;
  readonly #context: RedemptionContext;
  /** By token hash: a token is worked on once at a time, and whoever else brings it waits for the same result. */
  readonly #flights = new Map<string, Flight>();
  readonly #end = new AbortController();
  #closing = false;

  constructor(options: RedeemerOptions) {
    const clock = () => options.clock.now();
    const { store, provider, session, random = randomBytes, onEvent } = options;
    const { signal } = this.#end;
    const lockKey = parsePublicKey(options.lockKey);
    const viewKey = options.viewKey === undefined ? undefined : parseViewKey(options.viewKey);
    this.#crypto = new CryptoPool({ threads: options.threads ?? 1 });
    const crypto = this.#crypto;
    this.#mints = new MintList(options.mints, {
      crypto,
      clock,
      signal,
      timeout: options.mintTimeout,
      perSecond: options.redemptionsPerSecond,
    });
    this.#context = {
      store,
      crypto,
      outputs: new OutputMaker({ crypto, lockKey, viewKey, random }),
      provider,
      session,
      maxExposure: options.maxExposure,
      onEvent,
      busy: (tokenHash) => this.#flights.has(tokenHash),
      clock,
      signal,
    };
  }

  async inspect(token: string, signal: AbortSignal): Promise<IncomingToken> {
    const rules = {
      crypto: this.#crypto,
      listed: (url: string, unit: string) => this.#mints.listed(url, unit),
      clock: this.#context.clock,
    };
    try {
      return await sooner(readIncomingToken(token, rules, this.#context.signal), signal);
    } catch (error) {
      throw error instanceof MintError ? beforeSwap(error) : error;
    }
  }

  async redeem(
    token: IncomingToken,
    target: RedemptionTarget,
    bringer: Bringer,
    signal: AbortSignal,
  ): Promise<Credited> {
    const known = await this.#context.store.redemption(token.hash);
    if (known !== undefined && known.state !== 'rejected') {
      const credited = creditOf(known, target);
      if (credited !== undefined) return credited;
    }
    return await sooner(this.#share(token, target, bringer, known === undefined), signal);
  }

  async recover(signal: AbortSignal): Promise<RecoveryReport> {
    const exclusively = async (tokenHash: string, task: () => Promise<void>) => {
      await this.#fly(tokenHash, undefined, async () => {
        await task();
        return undefined;
      });
    };
    return await recoverUndecided(this.#context, this.#mints, exclusively, signal);
  }

  setMints(mints: readonly MintListing[]): void {
    this.#mints.set(mints);
  }

  mintStatus(): MintStatus[] {
    return this.#mints.status();
  }

  async describeMints(signal: AbortSignal): Promise<MintStatus[]> {
    await this.#mints.describe(signal);
    return this.#mints.status();
  }

  async warm(signal: AbortSignal): Promise<void> {
    await Promise.allSettled([this.#crypto.warm(), this.#mints.warm(signal)]);
  }

  async close(): Promise<void> {
    this.#closing = true;
    const flights = Promise.allSettled([...this.#flights.values()].map(({ done }) => done));
    await Promise.race([flights, delay(closingGrace, undefined, { ref: false })]);
    this.#end.abort();
    await flights;
    await this.#mints.close();
    await this.#crypto.close();
  }

  /** Joins the redemption that is under way, or starts it. */
  async #share(
    token: IncomingToken,
    target: RedemptionTarget,
    bringer: Bringer,
    isNew: boolean,
  ): Promise<Credited> {
    for (;;) {
      const flight = this.#flights.get(token.hash);
      if (flight === undefined) break;
      if (flight.target !== undefined) {
        const same = flight.target.role === target.role && accountOf(flight.target) === accountOf(target);
        // Whose it is will be known in a moment; until then it is not certain that it is not this one's.
        if (!same) throw inDoubt();
        return (await flight.done)!;
      }
      await flight.done.catch(() => {});
    }
    if (this.#closing) throw new CashuError('cashu_redemption_pending', { spendable: isNew, retryAfter: 1 });
    const { mint, bucket } = this.#mints.at(token.mint);
    const wait = bucket.take(bringer.known);
    if (wait > 0) throw new CashuError('cashu_mint_rate_limited', { retryAfter: wait, spendable: isNew });
    const redemption = new Redemption(token, target, mint, this.#context);
    return (await this.#fly(token.hash, target, () => redemption.run()))!;
  }

  #fly(
    tokenHash: string,
    target: RedemptionTarget | undefined,
    run: () => Promise<Credited | undefined>,
  ): Promise<Credited | undefined> {
    const done = run().finally(() => this.#flights.delete(tokenHash));
    this.#flights.set(tokenHash, { target, done });
    return done;
  }
}
