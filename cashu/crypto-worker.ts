import {
  blindMessage,
  getDecodedToken,
  getTokenMetadata,
  hashToCurve,
  Keyset,
  pointFromHex,
  unblindSignature,
  verifyDLEQProof,
} from '@cashu/cashu-ts';

/**
 * Everything that costs a millisecond or more: runs in a thread of its own, so that other requests' streams never wait for
 * a curve. It is also the only place that loads cashu-ts. Hostile input ends as a result; a throw is a bug.
 */

/** A proof of the token a client brought: bearer money, never stored or logged. */
export interface IncomingProof {
  keyset: string;
  /** In the mint's unit. */
  amount: bigint;
  secret: string;
  c: string;
}

export type TokenHead = { ok: true; mint: string; unit: string } | { ok: false };

export type TokenBody =
  | { ok: true; proofs: IncomingProof[] }
  | { ok: false; reason: 'malformed' | 'too_many_proofs' | 'unknown_keyset' };

export interface OutputSecret {
  secret: string;
  /** Blinding factor, 32 bytes hex. */
  r: string;
}

export interface Blinded {
  /** hash_to_curve of the secret, and the blinded message: compressed hex (NUT-00). */
  y: string;
  b: string;
}

export interface SignatureToUnblind {
  secret: string;
  r: string;
  /** The blinded message and the mint's signature on it. */
  b: string;
  c: string;
  dleq: { e: string; s: string } | null;
  /** The mint's public key for this amount. */
  key: string;
}

export type Unblinded =
  | { ok: true; proofs: { c: string; dleq: string | null }[] }
  /** A signature is no point, or its DLEQ proof does not hold: not made with the key the mint published. */
  | { ok: false };

export interface KeysetToVerify {
  id: string;
  unit: string;
  active: boolean;
  fee: number;
  finalExpiry: number | null;
  keys: Record<string, string>;
}

/** Reads only which mint and unit a token is of, so that a foreign mint's token costs no more than that. */
export function readHead(token: string): TokenHead {
  try {
    const { mint, unit } = getTokenMetadata(token);
    return typeof mint === 'string' && typeof unit === 'string' ? { ok: true, mint, unit } : { ok: false };
  } catch {
    return { ok: false };
  }
}

/** Reads the proofs. `keysets`: the mint's full keyset ids, to complete the short ones of V4 tokens (NUT-02). */
export function readBody({ token, keysets, maxProofs }: ReadBody): TokenBody {
  let entries: ReturnType<typeof getTokenMetadata>['incompleteProofs'];
  try {
    entries = getTokenMetadata(token).incompleteProofs;
  } catch {
    return { ok: false, reason: 'malformed' };
  }
  if (entries.length > maxProofs) return { ok: false, reason: 'too_many_proofs' };
  let decoded: ReturnType<typeof getDecodedToken>;
  try {
    decoded = getDecodedToken(token, keysets);
  } catch {
    return { ok: false, reason: 'unknown_keyset' };
  }
  const proofs: IncomingProof[] = [];
  for (const { id, amount, secret, C } of decoded.proofs) {
    if (typeof id !== 'string' || typeof secret !== 'string' || !isPoint(C)) {
      return { ok: false, reason: 'malformed' };
    }
    proofs.push({ keyset: id, amount: amount.toBigInt(), secret, c: C });
  }
  return { ok: true, proofs };
}

export interface ReadBody {
  token: string;
  keysets: readonly string[];
  maxProofs: number;
}

/** Y = hash_to_curve(secret) of each, compressed hex (NUT-00). */
export function hashToYs(secrets: readonly string[]): string[] {
  return secrets.map((secret) => hashToCurve(utf8(secret)).toHex(true));
}

export function blind(outputs: readonly OutputSecret[]): Blinded[] {
  return outputs.map(({ secret, r }) => ({
    y: hashToCurve(utf8(secret)).toHex(true),
    b: blindMessage(utf8(secret), BigInt(`0x${r}`)).B_.toHex(true),
  }));
}

/** Verifies DLEQ proofs where there are any (NUT-12) and takes the blinding off. */
export function unblind(signatures: readonly SignatureToUnblind[]): Unblinded {
  const proofs: { c: string; dleq: string | null }[] = [];
  try {
    for (const { r, b, c, dleq, key } of signatures) {
      const mintKey = pointFromHex(key);
      const signature = pointFromHex(c);
      if (dleq !== null) {
        const proof = { e: Buffer.from(dleq.e, 'hex'), s: Buffer.from(dleq.s, 'hex') };
        if (!verifyDLEQProof(proof, pointFromHex(b), signature, mintKey)) return { ok: false };
      }
      proofs.push({
        c: unblindSignature(signature, BigInt(`0x${r}`), mintKey).toHex(true),
        dleq: dleq === null ? null : JSON.stringify({ e: dleq.e, s: dleq.s, r }),
      });
    }
  } catch {
    return { ok: false };
  }
  return { ok: true, proofs };
}

/** Is the id the hash of the keys (NUT-02)? Otherwise the mint could show each client keys of its own. */
export function verifyKeyset({ id, unit, active, fee, finalExpiry, keys }: KeysetToVerify): boolean {
  const expiry = finalExpiry === null ? {} : { final_expiry: finalExpiry };
  return Keyset.verifyKeysetId({ id, unit, active, input_fee_ppk: fee, ...expiry, keys });
}

/** Compiles the curve arithmetic before the first token needs it. */
export function warm(): void {
  blind([{ secret: 'warm', r: '01'.repeat(32) }]);
}

function utf8(text: string): Uint8Array {
  return Buffer.from(text, 'utf8');
}

function isPoint(hex: unknown): hex is string {
  return typeof hex === 'string' && /^0[23][0-9a-fA-F]{64}$/.test(hex);
}
