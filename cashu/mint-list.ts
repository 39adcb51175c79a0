import type { CryptoPool } from './crypto-pool.ts';
import { Mint } from './mint.ts';
import { normalizeMintUrl } from './mint-url.ts';
import type { Unit } from './redemption-store.ts';
import { TokenBucket } from './token-bucket.ts';

/** A mint whose tokens are taken. */
export interface MintListing {
  url: string;
  /** Default: sat and msat. */
  units?: readonly Unit[] | undefined;
}

/** What is known about a listed mint, without asking it. */
export interface MintStatus {
  url: string;
  units: readonly Unit[];
  /** Its description was had, and it can do what is needed of it. */
  usable: boolean;
  /** Required NUTs that it lacks. */
  missingNuts: readonly string[];
  /** When it last described itself, Unix ms; null: never yet. */
  describedAt: number | null;
}

export interface MintListOptions {
  crypto: CryptoPool;
  clock: () => number;
  signal: AbortSignal;
  timeout?: number | undefined;
  /** Redemptions in a second, for each mint. Default 10. */
  perSecond?: number | undefined;
}

interface Entry {
  mint: Mint;
  /** Redemptions of this mint's tokens, all customers together. */
  bucket: TokenBucket;
}

/** Redemptions that one mint is asked for in a second. */
const usualRate = 10;
/** Seconds' worth of them that may come at once, and how much of that only known customers get. */
const burst = 6;
const burstForKnown = 2;

/** The mints that are taken, and those that were while money came from them: what is in doubt there is still ours to ask for. */
export class MintList {
  readonly #options: MintListOptions;
  readonly #entries = new Map<string, Entry>();
  #listed: ReadonlyMap<string, ReadonlySet<string>> = new Map();

  constructor(listings: readonly MintListing[], options: MintListOptions) {
    this.#options = options;
    this.set(listings);
  }

  /**
   * Replaces the list. What is under way at a mint that is gone from it goes on.
   * @throws TypeError for a URL that no mint can have
   */
  set(listings: readonly MintListing[]): void {
    this.#listed = new Map(
      listings.map(({ url, units = ['sat', 'msat'] }) => {
        const normalized = normalizeMintUrl(url);
        if (normalized === undefined) throw new TypeError(`Expected the http(s) URL of a mint, not "${url}"`);
        return [normalized, new Set(units)];
      }),
    );
  }

  /** @returns the mint when its tokens of this unit are taken */
  listed(url: string, unit: string): Mint | undefined {
    return this.#listed.get(url)?.has(unit) ? this.at(url).mint : undefined;
  }

  /** A mint by the URL that a redemption of ours names: it was listed once. */
  at(url: string): Entry {
    let entry = this.#entries.get(url);
    if (entry === undefined) {
      entry = { mint: new Mint({ url, ...this.#options }), bucket: this.#bucket() };
      this.#entries.set(url, entry);
    }
    return entry;
  }

  status(): MintStatus[] {
    return [...this.#listed].map(([url, units]) => {
      const known = this.#entries.get(url)?.mint.known;
      return {
        url,
        units: [...units] as Unit[],
        usable: known !== undefined && known.missingNuts.length === 0,
        missingNuts: known?.missingNuts ?? [],
        describedAt: known?.at ?? null,
      };
    });
  }

  /** Asks every listed mint what it can do. Failures show in the status. */
  async describe(signal: AbortSignal): Promise<void> {
    await Promise.allSettled([...this.#listed.keys()].map((url) => this.at(url).mint.describe(signal)));
  }

  /** Asks every listed mint for info, keysets and keys, so that the first token need not wait for them. Failures are left for then. */
  async warm(signal: AbortSignal): Promise<void> {
    const asked = [...this.#listed].flatMap(([url, units]) =>
      // A mint without a keyset of one of the units is no failure here: no token will ask for it.
      [...units].map((unit) => this.at(url).mint.outputKeyset(unit, signal)),
    );
    await Promise.allSettled(asked);
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#entries.values()].map(({ mint }) => mint.close()));
  }

  #bucket(): TokenBucket {
    const { clock, perSecond = usualRate } = this.#options;
    return new TokenBucket({
      capacity: Math.max(1, burst * perSecond),
      perSecond,
      keptForKnown: burstForKnown * perSecond,
      clock,
    });
  }
}
