/**
 * The ledger could not be asked, or did not answer.
 * `outcome` tells a caller what it may assume: `not_applied` is safe to forget, after `unknown` a reserve must be
 * followed by a release of the same id.
 */
export class LedgerUnavailableError extends Error {
  readonly code = 'ledger_unavailable';
  readonly outcome: 'not_applied' | 'unknown';

  constructor(outcome: 'not_applied' | 'unknown', options?: { cause?: unknown; message?: string }) {
    super(options?.message ?? 'The ledger is not available', { cause: options?.cause });
    this.name = 'LedgerUnavailableError';
    this.outcome = outcome;
  }
}

/**
 * What was asked can't be true: a negative amount, an id used twice, a proof nobody announced. Nothing was applied, and
 * asking again will not help. It is a defect of the caller, so nobody should catch it to go on.
 */
export class LedgerContractError extends Error {
  readonly code = 'ledger_contract';

  constructor(message: string) {
    super(message);
    this.name = 'LedgerContractError';
  }
}

/** A ledger that can't be opened. The message says which setting is wrong and what to do. */
export class LedgerOpenError extends Error {
  readonly code: 'ledger_url' | 'ledger_missing' | 'ledger_outdated' | 'ledger_too_new' | 'ledger_unreadable';

  constructor(code: LedgerOpenError['code'], message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'LedgerOpenError';
    this.code = code;
  }
}
