export interface PaymentRequestFields {
  /** In `unit`; absent: as much as the payer likes. */
  amount?: bigint | undefined;
  unit: 'sat' | 'msat';
  /** Mints the payer may choose from. */
  mints: readonly string[];
  description?: string | undefined;
}

/**
 * A payment request without a transport: paid in-band, by sending the token with the next request (NUT-18, NUT-24).
 *
 * The four fields of CBOR (RFC 8949) it needs are written here rather than by cashu-ts, which lives in the worker thread
 * only: loaded a second time it would cost this thread 70 ms of start and 25 MB.
 * @returns `creqA…`
 */
export function paymentRequest({ amount, unit, mints, description }: PaymentRequestFields): string {
  const entries: [string, Uint8Array][] = [
    ['u', text(unit)],
    ['m', Buffer.concat([head(4, BigInt(mints.length)), ...mints.map(text)])],
  ];
  if (amount !== undefined) entries.push(['a', head(0, amount)]);
  if (description !== undefined) entries.push(['d', text(description)]);
  const map = entries.flatMap(([key, value]) => [text(key), value]);
  return `creqA${Buffer.concat([head(5, BigInt(entries.length)), ...map]).toString('base64url')}`;
}

function text(value: string): Uint8Array {
  const bytes = Buffer.from(value, 'utf8');
  return Buffer.concat([head(3, BigInt(bytes.length)), bytes]);
}

/** Major type and argument, in the shortest of CBOR's five forms. */
function head(major: number, argument: bigint): Uint8Array {
  const type = major << 5;
  if (argument < 24n) return Uint8Array.of(type | Number(argument));
  const size = [1, 2, 4, 8].find((bytes) => argument < 1n << BigInt(8 * bytes));
  if (size === undefined) throw new RangeError('An amount in a payment request has at most 64 bits');
  const bytes = Buffer.alloc(9);
  bytes.writeBigUInt64BE(argument, 1);
  return Uint8Array.of(type | (24 + Math.log2(size)), ...bytes.subarray(9 - size));
}
