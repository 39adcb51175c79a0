import type { HoldId, KeyHash, Msat, ProviderId, SessionId } from './units.ts';

/** Sets `amount` aside for one request. Idempotent by `hold`: asked again, it says what it said. */
export interface Reserve {
  hold: HoldId;
  account: KeyHash;
  amount: Msat;
  /** What is owed if this process dies right away: the prompt's cost once it was forwarded. Usually 0 here, raised by {@link Accrual}. */
  accrued: Msat;
  provider: ProviderId;
  session: SessionId;
  /** The provider's mints, normalised. An account funded elsewhere is refused before anything runs. */
  mints: readonly string[];
  /** Which price and rate it was admitted with, for the auditor: written to the hold, copied to its entry. */
  priced: string;
}

type ReserveRefusal =
  | 'unknown_account'
  | 'expired'
  /** The account's mint is not on the provider's list. */
  | 'mint'
  /** The session was reaped: open a new one. */
  | 'fenced'
  /** `release` of this id came first. */
  | 'released'
  /** A `request` account whose one reserve was made, or closed by a refund. */
  | 'used';

export type ReserveResult =
  | { kind: 'reserved'; available: Msat }
  | { kind: 'insufficient'; available: Msat }
  /** The asking key's own limit: more money would not help. */
  | { kind: 'limit'; available: Msat }
  | { kind: 'refused'; reason: ReserveRefusal };

/** Raises a running hold to `amount` in all. Idempotent by (hold, n), n counting from 1. */
export interface Extend {
  hold: HoldId;
  session: SessionId;
  n: number;
  amount: Msat;
}

export type ExtendResult =
  | { kind: 'extended'; available: Msat }
  | { kind: 'insufficient'; available: Msat }
  | { kind: 'refused'; reason: 'unknown_hold' | 'fenced' };

/** Billable so far. Only ever rises, never above the hold. */
export interface Accrual {
  hold: HoldId;
  accrued: Msat;
}

/** What the journal keeps about a charge: enough to check it, nothing of the customer's text. */
export interface ChargeMemo {
  model: string;
  path: string;
  inputMsat: Msat;
  outputMsat: Msat;
  inputTokens: number;
  outputTokens: number;
  /** Usage was missing or unusable: counted from what was delivered. */
  estimated: boolean;
}

/** Ends a hold: charges `min(cost, hold + available)`. Idempotent by `hold`. */
export interface Settle {
  hold: HoldId;
  provider: ProviderId;
  cost: Msat;
  memo: ChargeMemo;
}

export type SettleResult =
  | {
      kind: 'settled';
      /** Taken from the account: the cost, rounded up to whole sats for an `X-Cashu` request in sat. */
      charged: Msat;
      /** Cost that the account could not cover. Recorded, never owed. */
      shortfall: Msat;
      /** The account's available balance after it. */
      available: Msat;
      /** The reaper was first: this raised its charge. */
      late: boolean;
      /** Set when the rest of an `X-Cashu` request became a refund. */
      refund: string | null;
    }
  | { kind: 'unknown_hold' };

/** Ends a hold without a charge. Of an unknown id it leaves a tombstone, so that a reserve still under way does nothing. */
export type ReleaseResult =
  | { kind: 'released'; available: Msat; refund: string | null }
  | { kind: 'tombstone' }
  /** Already settled: the charge stands. */
  | { kind: 'settled' };
