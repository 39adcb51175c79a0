import { paymentRequest } from '../../cashu/index.ts';
import type { Msat } from '../../ledger/index.ts';
import { ceilDivide } from '../../pricing/decimal.ts';
import { type ErrorCode, HttpError } from '../errors.ts';

export interface PaymentTerms {
  /** msat the request may cost. */
  required?: Msat;
  /** msat the account has left, or the token is worth. */
  available?: Msat;
  /** msat to ask for; what is missing from an account unless said otherwise. A token that is too small adds to nothing. */
  ask?: Msat;
  model?: string;
  mints: readonly string[];
  /** An unspent token to hand back: it answers an `X-Cashu` request, so the header is not free for a payment request. */
  echo?: string;
  /** The request was paid by `X-Cashu`, though its token can't be handed back. */
  xCashu?: boolean;
}

/** A 402 that tells how to pay: a NUT-18 request in the body and, per NUT-24, in the `X-Cashu` header. */
export function paymentRequired(
  code: Extract<ErrorCode, 'payment_required' | 'insufficient_balance' | 'balance_limit_exceeded'>,
  { required, available, ask, model, mints, echo, xCashu }: PaymentTerms,
): HttpError {
  const missing = ask ?? (required === undefined ? undefined : required - (available ?? 0n));
  const request = paymentRequest({
    ...(missing !== undefined && missing > 0n && { amount: ceilDivide(missing, 1000n) }),
    unit: 'sat',
    mints,
  });
  const headers: Record<string, string> = { 'cache-control': 'no-store' };
  if (echo !== undefined && echo.length <= longestEcho) headers['x-cashu'] = echo;
  else if (!xCashu) headers['x-cashu'] = request;
  return new HttpError(code, {
    headers,
    fields: {
      ...(required !== undefined && { amount_required_msat: required }),
      ...(available !== undefined && { available_msat: available }),
      ...(model !== undefined && { model }),
      payment_request: request,
    },
  });
}

/** Most clients refuse an answer whose headers are longer than 16 KiB. They have the token anyway. */
export const longestEcho = 12 * 1024;
