import { createHash } from 'node:crypto';
import { Amount, schnorrVerifyDigest, verifyMintQuoteSignature } from '@cashu/cashu-ts';
import type { MintRequest, Output } from './messages.ts';

const domain = 'Cashu_MintQuoteSig_v1';

/** NUT-20: does the request carry the signature of `pubkey`, over today's message or the unframed one of older wallets? */
export function isSignedBy(pubkey: string, { quote, outputs, signature }: MintRequest): boolean {
  if (signature == null) return false;
  if (schnorrVerifyDigest(signature, message(quote, outputs), pubkey)) return true;
  const legacy = outputs.map((output) => ({ ...output, amount: Amount.from(output.amount) }));
  return verifyMintQuoteSignature(pubkey, quote, legacy, signature);
}

function message(quote: string, outputs: readonly Output[]): Uint8Array {
  const hash = createHash('sha256').update(domain);
  const add = (bytes: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hash.update(length).update(bytes);
  };
  add(Buffer.from(quote));
  for (const output of outputs) {
    add(minimalBytes(output.amount));
    add(Buffer.from(output.B_, 'hex'));
  }
  return hash.digest();
}

/** Big-endian without leading zeros; nothing at all for 0. */
function minimalBytes(amount: number): Buffer {
  const hex = amount === 0 ? '' : amount.toString(16);
  return Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex');
}
