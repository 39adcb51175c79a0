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
