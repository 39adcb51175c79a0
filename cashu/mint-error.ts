/**
 * What a failed call to a mint lets us assume.
 * - `not_sent`: the request never left this process.
 * - `rate_limited`: the mint, or what stands before it, asks to come back later.
 * - `refused`: the mint answered with an error of its own (NUT-00 `{detail, code}`). Codes differ from mint to mint, so
 *   none of them ever decides about money.
 * - `unknown`: anything else. It may have done what was asked.
 */
export type MintFailure = 'not_sent' | 'rate_limited' | 'refused' | 'unknown';

/** The text is ours, never the mint's: what a mint writes may be meant for whoever reads our log. */
export class MintError extends Error {
  readonly failure: MintFailure;
  /** The mint's own code (NUT-00), if it gave one. */
  readonly mintCode: number | undefined;
  /** Seconds. */
  readonly retryAfter: number | undefined;

  constructor(
    failure: MintFailure,
    message: string,
    details: { mintCode?: number | undefined; retryAfter?: number; cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.name = 'MintError';
    this.failure = failure;
    this.mintCode = details.mintCode;
    this.retryAfter = details.retryAfter;
  }
}
