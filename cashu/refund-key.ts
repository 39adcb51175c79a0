import { hkdfSync } from 'node:crypto';
import { publicKeyOf } from './keys.ts';

/**
 * Whom a refund is sealed to: the key pair that HKDF-SHA256 (RFC 5869) makes of an API key, or of an `X-Cashu` token.
 * Only who has that secret can open the sealed token; who reads the ledger can't.
 * @param secret the API key or token, as presented
 * @returns compressed hex
 */
export function refundPublicKey(secret: string): string {
  for (let n = 0; ; n++) {
    const derived = hkdfSync('sha256', secret, '', `routstr/refund/${n}`, 32);
    const key = publicKeyOf(new Uint8Array(derived));
    // One derivation in 2^128 is no secret key; the next one is.
    if (key !== undefined) return key;
  }
}
