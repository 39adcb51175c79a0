import { createECDH, ECDH } from 'node:crypto';

const curve = 'secp256k1';

/**
 * @param hex a compressed secp256k1 public key
 * @returns it in lower case
 * @throws TypeError when it is malformed or no point of the curve: money locked to it could never be spent
 */
export function parsePublicKey(hex: string): string {
  const key = hex.trim().toLowerCase();
  try {
    if (!/^0[23][0-9a-f]{64}$/.test(key)) throw new TypeError('malformed');
    return ECDH.convertKey(key, curve, 'hex', 'hex', 'compressed') as string;
  } catch {
    throw new TypeError('Expected a compressed secp256k1 public key: 66 hex digits, beginning with 02 or 03');
  }
}

/**
 * @param hex the provider's view key
 * @throws TypeError when it is not 32 bytes
 */
export function parseViewKey(hex: string): Uint8Array {
  const key = hex.trim();
  if (!/^[0-9a-fA-F]{64}$/.test(key)) throw new TypeError('Expected a view key: 64 hex digits (32 bytes)');
  return Buffer.from(key, 'hex');
}

/**
 * @param secret 32 bytes
 * @returns its compressed public key, or undefined for the few values that are no secret key (0, or not below the order)
 */
export function publicKeyOf(secret: Uint8Array): string | undefined {
  const ecdh = createECDH(curve);
  try {
    ecdh.setPrivateKey(secret);
  } catch {
    return undefined;
  }
  return ecdh.getPublicKey('hex', 'compressed');
}
