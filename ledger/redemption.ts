import type { NewAccount } from './account.ts';
import type { KeyHash, Millis, Msat, ProviderId, SessionId, Unit } from './units.ts';

/** What a token was first used for. Fixed at first use: the same token in another role is spent. */
export type RedemptionRole = 'create' | 'topup' | 'request';

/**
 * One incoming token.
 *
 *   (begin) ─► undecided ─► credited
 *                 │  ▲ └──► spent_elsewhere ─► credited   (a restore at a later retry found it after all)
 *                 ▼  │
 *              rejected ──► credited                       (a swap thought dead came through)
 *
 * `undecided`: only the mint's word (restored signatures, proof states) moves it on.
 * `rejected`: the mint still has the inputs unspent; the role is cleared, a retry brings a new attempt.
 */
export type RedemptionState = 'undecided' | 'credited' | 'rejected' | 'spent_elsewhere';

export interface Redemption {
  tokenHash: string;
  state: RedemptionState;
  /** Null after a rejection. */
  role: RedemptionRole | null;
  /** Whom it credits: the new account, or the one topped up. */
  account: KeyHash;
  /** The provider whose sidecar redeems it. */
  provider: ProviderId;
  mint: string;
  unit: Unit;
  /** Credited msat; 0 before. */
  credited: Msat;
  createdAt: Millis;
}

/** Begins one try to swap a token. Everything is written before the mint is asked. */
export interface BeginAttempt {
  /** UUIDv7. */
  attempt: string;
  /** SHA-256("redemption" ‖ token), hex. */
  tokenHash: string;
  target:
    | { role: 'create'; account: NewAccount }
    | { role: 'topup'; account: KeyHash }
    /** `refundPubkey`: whom its change is sealed to, compressed hex. */
    | { role: 'request'; account: NewAccount; refundPubkey: string };
  provider: ProviderId;
  session: SessionId;
  mint: string;
  unit: Unit;
  /** Face value and the mint's input fee, msat. A success credits `gross − fee`. */
  gross: Msat;
  fee: Msat;
  /** Y = hash_to_curve(secret) of each input and output, compressed hex (NUT-00). */
  inputYs: readonly string[];
  outputYs: readonly string[];
  /** The blinded outputs as `cashu/` serialized them. Opaque here; never the inputs, which are bearer money. */
  outputs: string;
  /** Refuse when the proofs held at this mint would exceed this, msat. */
  maxExposure?: Msat | undefined;
}

export type BeginAttemptResult =
  | { kind: 'begun' }
  /** This very token in this very role is on its way, credited, or was found spent: see `redemption`. */
  | { kind: 'known'; redemption: Redemption }
  /** This very token was used in another role, or to top up another account. */
  | { kind: 'other_role' }
  /** One of its proofs came in with another token. */
  | { kind: 'inputs_taken'; by: 'undecided' | 'credited' | 'spent_elsewhere' }
  /** An output's Y is known already: take new counters and try again. */
  | { kind: 'outputs_taken' }
  | { kind: 'fenced' }
  | { kind: 'exposure'; held: Msat }
  /** A top-up that its account can't take. */
  | { kind: 'account'; reason: 'unknown' | 'mint' | 'expired' | 'child' };

/** A proof that the swap gave us, locked to the wallet's key (NUT-11). */
export interface LockedProof {
  y: string;
  keyset: string;
  /** In the mint's unit, not msat. */
  amount: bigint;
  secret: string;
  /** Unblinded signature, compressed hex. */
  c: string;
  /** NUT-12 proof as JSON, when the mint gave one. */
  dleq: string | null;
}

/** Stores what an attempt got and credits its account, once, whatever state the redemption was in. */
export interface CreditAttempt {
  attempt: string;
  proofs: readonly LockedProof[];
}

export type CreditAttemptResult =
  | { kind: 'credited'; account: KeyHash; amount: Msat; available: Msat }
  /** By this or another attempt, earlier. */
  | { kind: 'already'; account: KeyHash; amount: Msat }
  | { kind: 'unknown_attempt' };

/** One try, as recovery finds it. */
export interface Attempt {
  id: string;
  tokenHash: string;
  provider: ProviderId;
  session: SessionId;
  /** Its session was fenced: nobody is still at work on it. */
  sessionDead: boolean;
  state: RedemptionState;
  mint: string;
  unit: Unit;
  gross: Msat;
  fee: Msat;
  inputYs: string[];
  outputs: string;
  createdAt: Millis;
}
