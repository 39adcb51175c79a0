import type { CryptoPool } from './crypto-pool.ts';
import type { IncomingProof } from './crypto-worker.ts';
import { MintClient } from './mint-client.ts';
import { MintError } from './mint-error.ts';
import {
  type BlindSignature,
  type Keyset,
  type ProofState,
  readKeys,
  readKeysets,
  readMissingNuts,
  readRestored,
  readSignatures,
  readStates,
} from './mint-messages.ts';
import type { Output } from './outputs.ts';
import { sooner } from './sooner.ts';

/** Fees and keysets change rarely, and a swap that fails because they did is tried again with new ones. */
const freshFor = 10 * 60_000;
/** A token can name a keyset that we don't know as often as it likes. */
const refreshEvery = 5_000;
/** What the wallet locks away must not expire before it comes to spend it. */
const outputMargin = 24 * 3600;
const longestRest = 5 * 60_000;

export interface MintOptions {
  /** Normalised. */
  url: string;
  crypto: CryptoPool;
  /** Unix ms. */
  clock: () => number;
  /** Ends everything under way. */
  signal: AbortSignal;
  timeout?: number | undefined;
}

/** What a mint told about itself last. */
export interface Description {
  keysets: ReadonlyMap<string, Keyset>;
  /** Required NUTs that it does not support. */
  missingNuts: readonly string[];
  at: number;
}

/** One mint: what it can do, its keysets, and the three questions a redemption asks it. Throws {@link MintError}. */
export class Mint {
  readonly url: string;
  readonly #client: MintClient;
  readonly #options: MintOptions;
  readonly #keys = new Map<string, Record<string, string>>();
  #description: Description | undefined;
  #describing: Promise<Description> | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #restUntil = 0;

  constructor(options: MintOptions) {
    this.url = options.url;
    this.#options = options;
    this.#client = new MintClient(options);
  }

  /** What is known without asking. */
  get known(): Description | undefined {
    return this.#description;
  }

  /** Not to be asked by a background task before this time (Unix ms): it failed a moment ago. */
  get restUntil(): number {
    return this.#restUntil;
  }

  /** Info and keysets, a few minutes old at most; older ones when the mint can't be reached. */
  async describe(signal: AbortSignal): Promise<Description> {
    const known = this.#description;
    if (known !== undefined && this.#options.clock() - known.at < freshFor) return known;
    try {
      return await this.refresh(signal);
    } catch (error) {
      if (known === undefined) throw error;
      return known;
    }
  }

  /**
   * Asks again because a token names a keyset that we don't know: not more often than every few seconds.
   * @throws MintError `not_sent` when that was a moment ago. It may be newer than that, so nobody calls it unknown yet.
   */
  async refreshForToken(signal: AbortSignal): Promise<Description> {
    const wait = this.#askedAt + refreshEvery - this.#options.clock();
    if (wait > 0 && this.#describing === undefined && this.#description !== undefined) {
      throw new MintError('not_sent', 'The mint was asked for its keysets a moment ago', {
        retryAfter: Math.ceil(Math.min(wait, refreshEvery) / 1000),
      });
    }
    return await this.refresh(signal);
  }

  /** Asks again: the mint refused what was right by its last description. */
  async refresh(signal: AbortSignal): Promise<Description> {
    if (this.#describing === undefined) {
      this.#askedAt = this.#options.clock();
      this.#describing = this.#ask().finally(() => {
        this.#describing = undefined;
      });
    }
    return await sooner(this.#describing, signal);
  }

  /**
   * The keyset to take outputs of: active, far from its end, and the cheapest to spend later.
   * @throws MintError when there is none
   */
  async outputKeyset(unit: string, signal: AbortSignal): Promise<Keyset & { keys: Record<string, string> }> {
    const { keysets } = await this.describe(signal);
    const latest = this.#options.clock() / 1000 + outputMargin;
    const [cheapest] = [...keysets.values()]
      .filter(({ active, id }) => active && /^0[01][0-9a-f]+$/.test(id))
      .filter(
        (keyset) => keyset.unit === unit && (keyset.finalExpiry === null || keyset.finalExpiry > latest),
      )
      .sort((a, b) => a.fee - b.fee);
    if (cheapest === undefined) throw new MintError('not_sent', `The mint has no active keyset for ${unit}`);
    return { ...cheapest, keys: await this.keys(cheapest.id, signal) };
  }

  /** Public keys by amount of a keyset, active or not, checked against its id. */
  async keys(id: string, signal: AbortSignal): Promise<Record<string, string>> {
    const known = this.#keys.get(id);
    if (known !== undefined) return known;
    const keyset = (await this.describe(signal)).keysets.get(id);
    if (keyset === undefined) throw new MintError('not_sent', 'The mint does not list this keyset');
    const keys = readKeys(await this.#get(`/v1/keys/${id}`, signal), id);
    if (!(await this.#options.crypto.verifyKeyset({ ...keyset, keys }))) {
      throw new MintError('not_sent', 'The keys of the mint’s keyset don’t make its id (NUT-02)');
    }
    this.#keys.set(id, keys);
    return keys;
  }

  /** NUT-03. Any failure but `not_sent` leaves the inputs in doubt. */
  async swap(
    inputs: readonly IncomingProof[],
    outputs: readonly Output[],
    signal: AbortSignal,
  ): Promise<BlindSignature[]> {
    const body = {
      inputs: inputs.map(({ keyset, amount, secret, c }) => ({
        id: keyset,
        amount: Number(amount),
        secret,
        C: c,
      })),
      outputs: outputs.map(blindedMessage),
    };
    return readSignatures(await this.#post('/v1/swap', body, signal), outputs.length);
  }

  /** The signatures the mint ever made on these outputs, by blinded message (NUT-09). */
  async restore(outputs: readonly Output[], signal: AbortSignal): Promise<Map<string, BlindSignature>> {
    const json = await this.#post('/v1/restore', { outputs: outputs.map(blindedMessage) }, signal);
    return readRestored(json, outputs.length);
  }

  /** NUT-07, in the order of `ys`. */
  async states(ys: readonly string[], signal: AbortSignal): Promise<ProofState[]> {
    return readStates(await this.#post('/v1/checkstate', { Ys: ys }, signal), ys);
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async #ask(): Promise<Description> {
    const { signal, clock } = this.#options;
    const [info, keysets] = await Promise.all([
      this.#get('/v1/info', signal).then(readMissingNuts),
      this.#get('/v1/keysets', signal).then(readKeysets),
    ]);
    this.#description = {
      missingNuts: info,
      keysets: new Map(keysets.map((keyset) => [keyset.id, keyset])),
      at: clock(),
    };
    return this.#description;
  }

  #get(path: string, signal: AbortSignal): Promise<unknown> {
    return this.#noted(this.#client.get(path, AbortSignal.any([signal, this.#options.signal])));
  }

  #post(path: string, body: unknown, signal: AbortSignal): Promise<unknown> {
    return this.#noted(this.#client.post(path, body, AbortSignal.any([signal, this.#options.signal])));
  }

  /** Remembers whether the mint can be reached, so that recovery does not hammer one that can't. */
  async #noted(call: Promise<unknown>): Promise<unknown> {
    try {
      const json = await call;
      this.#failures = 0;
      this.#restUntil = 0;
      return json;
    } catch (error) {
      if (error instanceof MintError && error.failure !== 'refused') {
        const rest = error.retryAfter === undefined ? 1000 * 2 ** this.#failures++ : error.retryAfter * 1000;
        this.#restUntil = this.#options.clock() + Math.min(rest, longestRest);
      }
      throw error;
    }
  }
}

function blindedMessage({ amount, keyset, b }: Output): { amount: number; id: string; B_: string } {
  return { amount: Number(amount), id: keyset, B_: b };
}
