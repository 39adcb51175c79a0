/** What each code means to whoever brought the token: default message, and whether we certainly left the token unspent. */
const table = {
  invalid_cashu_token: ['This is not a Cashu token that can be redeemed here', false],
  cashu_token_zero_value: ['This token, or one of its proofs, is worth nothing', false],
  cashu_token_already_spent: ['This token was spent already: bring another one', false],
  cashu_token_swap_fees_exceed_amount: ['The mint’s fee is more than this token is worth', true],
  cashu_untrusted_source_mint: ['Tokens of this mint are not taken here', true],
  cashu_mint_unreachable: ['The mint can’t be reached: try again with the same token', true],
  cashu_mint_rate_limited: ['The mint is busy: try again with the same token', true],
  cashu_token_redemption_failed: ['The mint refused this token and left it unspent', true],
  cashu_token_consumed: ['The mint took this token for another account of this server', false],
  cashu_redemption_pending: [
    'The mint has not said yet what became of this token: try again with the same token, it is credited once',
    false,
  ],
  cashu_exposure_exceeded: ['No more money of this mint is taken for now: use another mint', true],
  cashu_account_refused: ['The account can’t be topped up with this token', true],
} as const satisfies Record<string, readonly [string, boolean]>;

export type CashuErrorCode = keyof typeof table;

export interface CashuErrorDetails {
  message?: string;
  /** Overrides the code's own answer to “is the token certainly unspent?”. */
  spendable?: boolean;
  /** Seconds after which trying again makes sense. */
  retryAfter?: number | undefined;
  /** Why an account refused a top-up. */
  reason?: 'unknown' | 'expired' | 'child' | undefined;
  cause?: unknown;
}

/** Why a token is not balance now. Neither message nor cause ever holds a token, a proof or a key. */
export class CashuError extends Error {
  readonly code: CashuErrorCode;
  /**
   * Nothing was done to the token, or the mint says that it is unspent: it may be handed back to whoever sent it.
   * False means “not certain”, not “spent”.
   */
  readonly spendable: boolean;
  readonly retryAfter: number | undefined;
  readonly reason: 'unknown' | 'expired' | 'child' | undefined;

  constructor(code: CashuErrorCode, details: CashuErrorDetails = {}) {
    const [message, spendable] = table[code];
    super(details.message ?? message, details.cause === undefined ? {} : { cause: details.cause });
    this.name = 'CashuError';
    this.code = code;
    this.spendable = details.spendable ?? spendable;
    this.retryAfter = details.retryAfter;
    this.reason = details.reason;
  }
}
