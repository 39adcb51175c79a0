import type { KeyHash, Millis, Msat, Unit } from './units.ts';

/**
 * Money on its way back to its owner. A sidecar's request *is* the debit; all else is the wallet's.
 *
 *   debited ─► planned ─► minted ─► delivered
 *      │          └─────────┴─────► swept       (nobody fetched it in time)
 *      └────────► failed ─► returned            (credited back under the refund's id)
 */
export type RefundState = 'debited' | 'planned' | 'minted' | 'delivered' | 'failed' | 'returned' | 'swept';

export interface Refund {
  /** UUIDv7. */
  id: string;
  account: KeyHash;
  state: RefundState;
  /** Debited msat. What arrives is less the mint's fee. */
  amount: Msat;
  mint: string;
  unit: Unit;
  /** Lightning address or LNURL; null when it is a token. */
  recipient: string | null;
  /** The finished token, sealed (NIP-44) to the owner's key; null until minted. */
  sealed: string | null;
  createdAt: Millis;
}

export interface RequestRefund {
  /** UUIDv7 for a new refund. */
  id: string;
  account: KeyHash;
  /** Whom the token is sealed to, compressed hex. */
  pubkey: string;
  /** Overrides the account's own refund address. */
  recipient?: string | undefined;
}

export type RequestRefundResult =
  /** New, or the one that is under way already. */
  | { kind: 'refund'; refund: Refund }
  /** One is under way to somewhere else. */
  | { kind: 'other_destination' }
  /** `reserved` is not 0. */
  | { kind: 'running' }
  | { kind: 'nothing' }
  | { kind: 'too_small' }
  | { kind: 'refused'; reason: 'unknown_account' | 'child' | 'house' };

/** The change of an `X-Cashu` request. Asking for it closes an account that never ran. */
export type RequestChangeResult =
  | { kind: 'refund'; refund: Refund }
  | { kind: 'running' }
  /** Its redemption is undecided, so there is nothing to give back yet. */
  | { kind: 'undecided' }
  /** It was all spent, or the rest could not pay its own fee. */
  | { kind: 'nothing' }
  | { kind: 'unknown' };
