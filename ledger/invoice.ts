import type { KeyHash, Millis, Msat, ProviderId } from './units.ts';

/** `requested` waits for the wallet; the other states are the wallet's. */
export type InvoiceState = 'requested' | 'pending' | 'settlement_pending' | 'paid' | 'expired';

/** A Lightning top-up. Keyed by the hash of its id: who reads the ledger can't claim the key it makes. */
export interface Invoice {
  /** SHA-256(invoice_id), hex. */
  idHash: string;
  state: InvoiceState;
  purpose: 'create' | 'topup';
  /** For `create` the account that will be, for `topup` the one that is. */
  account: KeyHash;
  amount: Msat;
  mint: string | null;
  bolt11: string | null;
  paymentHash: string | null;
  createdAt: Millis;
  expiresAt: Millis | null;
  paidAt: Millis | null;
}

export interface RequestInvoice {
  idHash: string;
  purpose: 'create' | 'topup';
  account: KeyHash;
  preview: string;
  provider: ProviderId;
  /** The provider's mints, first choice first: a top-up must find its account's among them. */
  mints: readonly string[];
  amount: Msat;
  /** After this (Unix ms) nobody waits for the answer any more and the wallet leaves it alone. */
  wantedUntil: Millis;
}

export type RequestInvoiceResult =
  | { kind: 'requested' }
  | { kind: 'refused'; reason: 'unknown_account' | 'child' | 'expired' | 'mint' };
