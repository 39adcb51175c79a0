import { createHmac } from 'node:crypto';
import type { OutputSecret } from './crypto-worker.ts';

/** Order of secp256k1. */
const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

/** One blinded message (NUT-03), with what takes the blinding off again. */
export interface Output extends OutputSecret {
  /** In the mint's unit. */
  amount: bigint;
  keyset: string;
  /** The blinded message and hash_to_curve of the secret, compressed hex. */
  b: string;
  y: string;
}

/**
 * The one form of a secret locked to `lockKey` (NUT-10, NUT-11): no tags, so no second signer, refund path or deadline.
 * The wallet counts only money whose secret is exactly this.
 */
export function lockedSecret(lockKey: string, nonce: string): string {
  return `["P2PK",{"nonce":"${nonce}","data":"${lockKey}","tags":[]}]`;
}

/**
 * Nonce and blinding factor of one output: HMAC-SHA256(view key, session number ‖ counter ‖ 0 or 1), numbers as 64-bit
 * big-endian. With the view key they can be found again when the ledger is lost (NUT-09), without it nobody can guess
 * them; a session number never repeats and neither does a counter within it.
 */
export function deriveOutputSecret(
  viewKey: Uint8Array,
  session: bigint,
  counter: bigint,
): { nonce: string; r: string } {
  const message = Buffer.alloc(17);
  message.writeBigUInt64BE(session, 0);
  message.writeBigUInt64BE(counter, 8);
  const nonce = createHmac('sha256', viewKey).update(message).digest('hex');
  message[16] = 1;
  return { nonce, r: scalar(createHmac('sha256', viewKey).update(message).digest()) };
}

/** Without a view key: found again only as long as the ledger has them. */
export function randomOutputSecret(random: (bytes: number) => Uint8Array): { nonce: string; r: string } {
  return { nonce: Buffer.from(random(32)).toString('hex'), r: scalar(random(32)) };
}

/**
 * The fewest denominations that make `amount`, smallest first, so that their order says nothing (NUT-03).
 * @returns undefined when the keyset can't make it with at most `most` of them
 */
export function splitAmount(
  amount: bigint,
  denominations: readonly bigint[],
  most: number,
): bigint[] | undefined {
  const split: bigint[] = [];
  let rest = amount;
  for (const denomination of [...denominations].sort((a, b) => (a < b ? 1 : -1))) {
    for (; rest >= denomination; rest -= denomination) {
      if (split.length === most) return undefined;
      split.push(denomination);
    }
  }
  return rest === 0n ? split.reverse() : undefined;
}

/** What the ledger keeps of outputs until their attempt is decided. No money: spending them takes the wallet's key. */
export function serializeOutputs(outputs: readonly Output[]): string {
  const entries = outputs.map(({ amount, keyset, secret, r, b, y }) => [
    amount.toString(),
    keyset,
    secret,
    r,
    b,
    y,
  ]);
  return JSON.stringify({ version: 1, outputs: entries });
}

/** @throws TypeError when it is not what {@link serializeOutputs} wrote */
export function deserializeOutputs(text: string): Output[] {
  const stored = JSON.parse(text) as { version: number; outputs: string[][] };
  if (stored.version !== 1)
    throw new TypeError(`Outputs of version ${stored.version} were stored by a newer program`);
  return stored.outputs.map((entry) => {
    const [amount, keyset, secret, r, b, y] = entry;
    if (entry.length !== 6 || !entry.every((field) => typeof field === 'string')) {
      throw new TypeError('Stored outputs are damaged');
    }
    return { amount: BigInt(amount!), keyset: keyset!, secret: secret!, r: r!, b: b!, y: y! };
  });
}

/** 32 bytes as a scalar of the curve. Never 0 in practice: that has a chance of 2^-256, and blinding would refuse it. */
function scalar(bytes: Uint8Array): string {
  const value = BigInt(`0x${Buffer.from(bytes).toString('hex')}`) % order;
  return value.toString(16).padStart(64, '0');
}
