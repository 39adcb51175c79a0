import type { HoldId, Msat, ProviderId, SessionId } from './units.ts';

/** One running process. Its `number` never repeats in the life of a ledger, restores included: nonces are derived from it. */
export interface Session {
  id: SessionId;
  number: bigint;
}

/** What a reaper sees of a session that is not fenced. */
export interface SessionBeat {
  id: SessionId;
  provider: ProviderId;
  /** Rises with every heartbeat. */
  counter: bigint;
}

/**
 * Fences a session whose counter stood still and settles its holds at `accrued`. Conditional on the counter still being
 * `counter`, so any number of reapers may try.
 */
export interface ReapResult {
  fenced: boolean;
  holds: HoldId[];
  charged: Msat;
}
