/**
 * Every error a client can see, in one table. Codes, types and the quoted texts are what OpenAI SDKs and routstr-sdk
 * match on: `insufficient_quota` + `insufficient_balance` is the only pair a client tops up on, so nothing else uses it.
 */
const table = {
  invalid_json: [400, 'invalid_request_error', 'The body is not valid JSON'],
  invalid_request: [400, 'invalid_request_error', 'The request is not valid'],
  invalid_model: [400, 'invalid_request_error', 'Model not found'],
  not_found: [
    404,
    'invalid_request_error',
    'There is nothing here. See /v1/info for the supported endpoints',
  ],
  method_not_allowed: [405, 'invalid_request_error', 'This server does not take that method'],
  unsupported_content_encoding: [
    415,
    'invalid_request_error',
    'Send the body without Content-Encoding: it is read to compute its price',
  ],
  request_too_large: [413, 'invalid_request_error', 'The body is larger than this server takes'],

  missing_api_key: [
    401,
    'invalid_request_error',
    'No credential: send "Authorization: Bearer sk-…" or "Authorization: Bearer cashu…"',
  ],
  invalid_api_key: [401, 'invalid_request_error', 'This API key is not known here'],
  key_expired: [403, 'invalid_request_error', 'This API key has expired. Its balance can still be refunded'],
  insufficient_balance: [402, 'insufficient_quota', 'The balance does not cover what this request may cost'],
  balance_limit_exceeded: [402, 'insufficient_quota', 'This key’s limit does not cover this request'],
  payment_required: [
    402,
    'minimum_balance_required',
    'Payment required: send an API key, or a Cashu token that covers what the request may cost',
  ],

  cashu_token_already_spent: [400, 'token_already_spent', 'This token was spent already'],
  invalid_cashu_token: [400, 'invalid_token', 'This is not a Cashu token that can be read'],
  cashu_token_zero_value: [400, 'cashu_error', 'This token is worth nothing'],
  cashu_token_swap_fees_exceed_amount: [422, 'mint_error', 'The mint’s fee is more than this token is worth'],
  cashu_untrusted_source_mint: [400, 'untrusted_mint', 'Tokens of this mint are not taken here'],
  cashu_mint_unreachable: [
    503,
    'mint_unreachable',
    'The mint can’t be reached: try again with the same token',
  ],
  cashu_mint_rate_limited: [503, 'mint_rate_limited', 'The mint is busy: try again with the same token'],
  cashu_token_redemption_failed: [400, 'cashu_error', 'The token could not be redeemed'],
  cashu_token_consumed: [500, 'token_consumed', 'The token was spent, but its value could not be credited'],
  cashu_redemption_pending: [
    503,
    'mint_unreachable',
    'The mint has not said yet what became of this token: try again with the same token, it is credited once',
  ],
  cashu_exposure_exceeded: [
    503,
    'mint_error',
    'This server holds as much of this mint’s money as it wants: use another mint or try again later',
  ],
  request_running: [409, 'invalid_request_error', 'The request this token paid for is still running'],

  refund_nothing: [400, 'invalid_request_error', 'No balance to refund'],
  refund_too_small: [400, 'invalid_request_error', 'Balance too small to refund'],
  refund_running: [
    400,
    'invalid_request_error',
    'Cannot refund key. There are ongoing requests for this api key.',
  ],
  refund_pending: [425, 'invalid_request_error', 'Refund is pending; retry shortly.'],
  refund_elsewhere: [
    409,
    'invalid_request_error',
    'A refund of this key to another destination is under way',
  ],
  refund_not_found: [404, 'invalid_request_error', 'Refund not found'],
  refund_swept: [410, 'invalid_request_error', 'Refund has been swept'],
  child_key: [400, 'invalid_request_error', 'A child key can’t do this: use its parent'],
  invoice_not_found: [404, 'invalid_request_error', 'Invoice not found'],

  rate_limited: [429, 'rate_limit_error', 'Too many requests: slow down and retry'],
  UPSTREAM_RATE_LIMIT: [429, 'rate_limit_error', 'The model is busy: retry shortly'],
  UPSTREAM_UNAVAILABLE: [424, 'upstream_error', 'The model did not answer'],
  upstream_rejected: [400, 'upstream_error', 'The model refused the request'],
  ledger_unavailable: [
    503,
    'server_error',
    'The ledger can’t be reached: nothing was charged, retry shortly',
  ],
  price_unavailable: [
    503,
    'server_error',
    'There is no fresh Bitcoin price: nothing was charged, retry later',
  ],
  wallet_unavailable: [503, 'server_error', 'The wallet is not available: retry shortly'],
  draining: [503, 'server_error', 'This server is shutting down: retry, another one will answer'],
  internal: [500, 'server_error', 'Something broke here. Nothing was charged'],
} as const satisfies Record<string, readonly [status: number, type: string, message: string]>;

export type ErrorCode = keyof typeof table;

/** Statuses that mean “later”: they always say when, in seconds. */
const passing: ReadonlySet<number> = new Set([425, 429, 503]);
const usualWait = 2;

/** What an account that refuses something is to its owner. */
export const accountRefusals = {
  unknown: 'invalid_api_key',
  unknown_account: 'invalid_api_key',
  child: 'child_key',
  expired: 'key_expired',
  mint: 'cashu_untrusted_source_mint',
  house: 'refund_nothing',
} as const satisfies Record<string, ErrorCode>;

export interface ErrorOptions {
  /** Replaces the table's text. Never put a token, key or upstream address in it. */
  message?: string;
  /** Replaces the table's status (an upstream's own 4xx). */
  status?: number;
  headers?: Readonly<Record<string, string>>;
  /** Seconds for `Retry-After`. */
  retryAfter?: number;
  /** Further fields of the error object. */
  fields?: Readonly<Record<string, unknown>>;
  cause?: unknown;
}

/** An answer that is an error. Thrown anywhere in a request's way, written in one place. */
export class HttpError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly type: string;
  readonly headers: Record<string, string>;
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, options: ErrorOptions = {}) {
    const [status, type, message] = table[code];
    super(options.message ?? message, { cause: options.cause });
    this.name = 'HttpError';
    this.code = code;
    this.status = options.status ?? status;
    this.type = type;
    this.headers = { ...options.headers };
    const retryAfter = options.retryAfter ?? (passing.has(this.status) ? usualWait : undefined);
    if (retryAfter !== undefined) this.headers['retry-after'] = String(retryAfter);
    this.fields = options.fields ?? {};
  }

  /** One shape; `detail` repeats it because FastAPI clients read it there. */
  body(requestId: string): string {
    const error = { message: this.message, type: this.type, code: this.code, ...this.fields };
    const { payment_request } = this.fields;
    return JSON.stringify({ error, detail: { error }, payment_request, request_id: requestId }, (_, value) =>
      typeof value === 'bigint' ? Number(value) : value,
    );
  }
}

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(table, code);
}
