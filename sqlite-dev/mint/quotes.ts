import type { Output } from './messages.ts';

/** A mint quote (NUT-04, NUT-23). Its invoice pays itself: PAID from the start. */
export interface MintQuote {
  kind: 'mint';
  id: string;
  unit: string;
  amount: number;
  request: string;
  /** The only one who may claim it (NUT-20), compressed hex. */
  pubkey: string | null;
  issued: boolean;
  /** Unix s. */
  expiry: number;
  updatedAt: number;
}

/**
 * A melt quote (NUT-05, NUT-23).
 *
 *   UNPAID ─► PENDING ─► PAID
 *     ▲          │
 *     └──────────┘   the payment failed: the inputs are unspent again
 */
export interface MeltQuote {
  kind: 'melt';
  id: string;
  unit: string;
  amount: number;
  feeReserve: number;
  request: string;
  state: 'UNPAID' | 'PENDING' | 'PAID';
  /** Unix s. */
  expiry: number;
  preimage: string | null;
  /** Signatures given on the blank outputs, once paid. */
  change: { output: string }[];
  /** The payment under way, from PENDING on. */
  attempt: MeltAttempt | null;
}

export interface MeltAttempt {
  inputs: { y: string; amount: number }[];
  inputFee: number;
  outputs: Output[];
  /** Unix ms at which the payment is known to have gone through, or not. */
  due: number;
  outcome: 'paid' | 'failed';
}
