import { createHash } from 'node:crypto';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { bech32 } from '@scure/base';

/** Types of the tagged fields we write or read (BOLT 11). */
const tag = { paymentHash: 1, features: 5, expiry: 6, description: 13, paymentSecret: 16, minFinalCltv: 24 };

/** var_onion_optin (bit 8) and payment_secret (bit 14), both compulsory: what every node of today asks for. */
const features = [16, 8, 0];

/** msat in one unit of the amount's multiplier, biggest first, so that an amount is written in its shortest form. */
const multipliers = [
  ['m', 100_000_000n],
  ['u', 100_000n],
  ['n', 100n],
] as const;

export interface Invoice {
  /** Null: the payer chooses. */
  amountMsat: bigint | null;
  /** Lower-case hex. */
  paymentHash: string;
  /** Unix s. */
  expiresAt: number;
}

export interface NewInvoice {
  amountMsat: bigint;
  paymentHash: Uint8Array;
  paymentSecret: Uint8Array;
  description: string;
  /** Unix s. */
  createdAt: number;
  /** Seconds. */
  expiry: number;
  /** The node's secret key. */
  nodeKey: Uint8Array;
}

function numberToWords(value: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => Math.floor(value / 32 ** (count - 1 - index)) % 32);
}

function wordsToNumber(words: readonly number[]): number {
  return words.reduce((value, word) => value * 32 + word, 0);
}

function field(type: number, words: readonly number[]): number[] {
  return [type, ...numberToWords(words.length, 2), ...words];
}

function amountToText(msat: bigint): string {
  const unit = multipliers.find(([, size]) => msat % size === 0n);
  return unit === undefined ? `${msat * 10n}p` : `${msat / unit[1]}${unit[0]}`;
}

function textToAmount(digits: string, multiplier: string): bigint {
  const value = BigInt(digits);
  if (multiplier === 'p') {
    if (value % 10n !== 0n) throw new RangeError('A BOLT 11 amount is a whole number of msat');
    return value / 10n;
  }
  return value * (multipliers.find(([letter]) => letter === multiplier)?.[1] ?? 100_000_000_000n);
}

/** Five-bit words as bytes, the last one filled up with zeros, as the signature covers them. */
function wordsToPaddedBytes(words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(Math.ceil((words.length * 5) / 8));
  words.forEach((word, index) => {
    for (let bit = 0; bit < 5; bit++) {
      const position = index * 5 + bit;
      if ((word >> (4 - bit)) & 1) bytes[position >> 3]! |= 0x80 >> (position & 7);
    }
  });
  return bytes;
}

/** A signed regtest invoice (BOLT 11). */
export function encodeInvoice(invoice: NewInvoice): string {
  const prefix = `lnbcrt${amountToText(invoice.amountMsat)}`;
  const words = [
    ...numberToWords(invoice.createdAt, 7),
    ...field(tag.paymentHash, bech32.toWords(invoice.paymentHash)),
    ...field(tag.paymentSecret, bech32.toWords(invoice.paymentSecret)),
    ...field(tag.description, bech32.toWords(Buffer.from(invoice.description))),
    ...field(tag.expiry, numberToWords(invoice.expiry, 4)),
    ...field(tag.minFinalCltv, numberToWords(18, 1)),
    ...field(tag.features, features),
  ];
  const digest = createHash('sha256').update(prefix).update(wordsToPaddedBytes(words)).digest();
  const [recovery, ...signature] = secp256k1.sign(digest, invoice.nodeKey, {
    prehash: false,
    format: 'recovered',
  });
  return bech32.encode(
    prefix,
    [...words, ...bech32.toWords(Uint8Array.from([...signature, recovery!]))],
    false,
  );
}

/**
 * Reads what a payer needs to know of an invoice of any network.
 * @throws when the checksum, the amount or a field is wrong. The signature is not checked: nobody is really paid.
 */
export function decodeInvoice(request: string): Invoice {
  const { prefix, words } = bech32.decode(request.toLowerCase() as `${string}1${string}`, false);
  const human = /^ln(?:bcrt|bc|tbs|tb)(?:([1-9]\d{0,17})([munp]?))?$/.exec(prefix);
  if (human === null || words.length < 7 + 104) throw new TypeError('Not a BOLT 11 invoice');
  const fields = words.slice(7, -104);
  let paymentHash = '';
  let expiry = 3600;
  for (let at = 0; at + 3 <= fields.length; ) {
    const length = wordsToNumber(fields.slice(at + 1, at + 3));
    const value = fields.slice(at + 3, at + 3 + length);
    if (value.length !== length) throw new TypeError('A field of the invoice is cut short');
    if (fields[at] === tag.paymentHash && length === 52) {
      paymentHash = Buffer.from(bech32.fromWords(value)).toString('hex');
    }
    if (fields[at] === tag.expiry && length <= 7) expiry = wordsToNumber(value);
    at += 3 + length;
  }
  if (paymentHash === '') throw new TypeError('The invoice has no payment hash');
  return {
    amountMsat: human[1] === undefined ? null : textToAmount(human[1], human[2] ?? ''),
    paymentHash,
    expiresAt: wordsToNumber(words.slice(0, 7)) + expiry,
  };
}
