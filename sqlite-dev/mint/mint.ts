import type { Keysets } from './keysets.ts';
import type { MintStore } from './store.ts';

/** What every operation of the mint works on. */
export interface Mint {
  store: MintStore;
  keysets: Keysets;
  /** Unix ms. */
  now: () => number;
  /** Seconds a mint or melt quote is good for. */
  quoteLifetime: number;
}

/** How one operation is to go wrong inside the mint, see faults.ts. */
export interface Trouble {
  /** The operation's proofs read PENDING for so many ms. */
  pendingFor?: number | undefined;
  /** Whether it then turns out to have happened. */
  outcome?: 'done' | 'failed' | undefined;
}
