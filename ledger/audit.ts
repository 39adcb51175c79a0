import type { Msat, Unit } from './units.ts';

/**
 * The books of one mint and unit, in msat. They balance when `credited = balances + earned + refunded`; what was paid out
 * and the fees have left `earned`. House credit is no mint's and has no book.
 */
export interface Book {
  mint: string;
  unit: Unit;
  /** Σ token and Lightning credits. */
  credited: Msat;
  /** Σ account balances, running holds included. */
  balances: Msat;
  reserved: Msat;
  /** Σ charges of all providers, and change too small to give back. Paid out or not. */
  earned: Msat;
  paidOut: Msat;
  /** Σ refunds debited and not returned, fetched or not. */
  refunded: Msat;
  /** Of `refunded`, not yet minted. */
  refundsPending: Msat;
  /** Mint and routing fees paid out of earnings. */
  fees: Msat;
  /** credited − everything else. 0, or the ledger is wrong. May be negative. */
  difference: bigint;
  /** Unspent proofs that we hold at this mint. */
  held: Msat;
  /** What is owed against them: balances + earned − paidOut − fees + refunds not yet minted. */
  owed: Msat;
}

/** An invariant that does not hold. `subject` is an id or a key's preview, never a secret. */
export interface Violation {
  rule:
    | 'books_balance'
    | 'balance_is_sum_of_entries'
    | 'reserved_is_sum_of_holds'
    | 'earning_is_sum_of_charges'
    | 'nothing_negative'
    | 'held_covers_owed'
    | 'hold_ended_once';
  subject: string;
  expected: bigint;
  actual: bigint;
}

export interface AuditReport {
  books: Book[];
  violations: Violation[];
  /** Redemptions whose outcome only the mint can tell. They are owed nothing yet. */
  undecided: number;
  accounts: number;
  entries: number;
  /** No violation. */
  balanced: boolean;
}
