import type { FastifyError } from 'fastify';
import { LedgerUnavailableError } from '../../ledger/index.ts';
import { PriceUnavailableError } from '../../pricing/errors.ts';
import { RequestError } from '../body/request-error.ts';
import { type ErrorCode, HttpError } from '../errors.ts';

/** fastify's own errors that a client can cause. */
const fastifyErrors: Partial<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'request_too_large',
  FST_ERR_CTP_INVALID_JSON_BODY: 'invalid_json',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid_json',
  FST_ERR_NOT_FOUND: 'not_found',
  FST_ERR_BAD_URL: 'not_found',
};

/** Any error as the answer it becomes. What nobody foresaw is `internal`, without its text. */
export function toHttpError(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof LedgerUnavailableError) return new HttpError('ledger_unavailable', { cause: error });
  if (error instanceof PriceUnavailableError) {
    return new HttpError('price_unavailable', { retryAfter: 60, cause: error });
  }
  if (error instanceof RequestError) return new HttpError(error.code, { message: error.message });
  const { code, statusCode } = (error ?? {}) as FastifyError;
  const known = fastifyErrors[code];
  if (known) return new HttpError(known, { cause: error });
  if (statusCode !== undefined && statusCode < 500) {
    return new HttpError('invalid_request', { status: statusCode, cause: error });
  }
  return new HttpError('internal', { cause: error });
}
