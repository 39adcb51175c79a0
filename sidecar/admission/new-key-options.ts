import type { KeyLimits } from '../../ledger/index.ts';
import { HttpError } from '../errors.ts';

export interface NewKeyOptions extends KeyLimits {
  /** Unix ms. */
  expiresAt?: number;
  /** A Lightning address (LUD-16) or LNURL (LUD-01). */
  refundAddress?: string;
}

const lightningAddress = /^[a-z0-9._+-]{1,64}@[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::\d{1,5})?$/;
const lnurl = /^lnurl1[02-9ac-hj-np-z]{20,2000}$/;
/** A key's time may be at most this far away: further is a mistaken unit (ms for s). */
const furthestExpiry = 100 * 365 * 86_400;

/**
 * What a customer may say about a key when its first token comes in.
 * @param expiry Unix seconds, from `Key-Expiry-Time` or `key_expiry_time`
 * @param now Unix ms
 * @throws HttpError `invalid_request`
 */
export function readNewKeyOptions(expiry: unknown, refundAddress: unknown, now: number): NewKeyOptions {
  const options: NewKeyOptions = {};
  if (expiry !== undefined && expiry !== null) {
    const seconds = typeof expiry === 'string' && /^\d{1,12}$/.test(expiry) ? Number(expiry) : expiry;
    if (
      typeof seconds !== 'number' ||
      !Number.isSafeInteger(seconds) ||
      seconds > now / 1000 + furthestExpiry
    ) {
      throw new HttpError('invalid_request', { message: 'The key’s expiry time must be in Unix seconds' });
    }
    if (seconds * 1000 <= now)
      throw new HttpError('invalid_request', { message: 'The key’s expiry time is in the past' });
    options.expiresAt = seconds * 1000;
  }
  if (refundAddress !== undefined && refundAddress !== null)
    options.refundAddress = readRefundAddress(refundAddress);
  return options;
}

/**
 * @returns the address, lower-case
 * @throws HttpError `invalid_request`
 */
export function readRefundAddress(value: unknown): string {
  const address =
    typeof value === 'string'
      ? value
          .trim()
          .toLowerCase()
          .replace(/^lightning:/, '')
      : '';
  if (lightningAddress.test(address) || lnurl.test(address)) return address;
  throw new HttpError('invalid_request', {
    message: 'The refund address must be a Lightning address (name@domain) or an LNURL (lnurl1…)',
  });
}
