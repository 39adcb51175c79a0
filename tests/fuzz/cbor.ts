/** CBOR (RFC 8949) written by hand, so that it can also be written wrongly. */
export type Cbor =
  | string
  | number
  | bigint
  | boolean
  | null
  | Buffer
  | Raw
  | readonly Cbor[]
  | { readonly [key: string]: Cbor };

/** Bytes that stand for a value, whatever they are. */
export class Raw {
  readonly bytes: Buffer;
  constructor(...bytes: number[]) {
    this.bytes = Buffer.from(bytes);
  }
}

export function encodeCbor(value: Cbor): Buffer {
  if (value instanceof Raw) return value.bytes;
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  if (value === null) return Buffer.of(0xf6);
  switch (typeof value) {
    case 'boolean':
      return Buffer.of(value ? 0xf5 : 0xf4);
    case 'string': {
      const text = Buffer.from(value);
      return Buffer.concat([head(3, text.length), text]);
    }
    case 'bigint':
    case 'number':
      return encodeNumber(value);
  }
  if (Array.isArray(value)) return Buffer.concat([head(4, value.length), ...value.map(encodeCbor)]);
  const members = Object.entries(value).flatMap(([key, member]) => [encodeCbor(key), encodeCbor(member)]);
  return Buffer.concat([head(5, members.length / 2), ...members]);
}

function encodeNumber(value: number | bigint): Buffer {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    const float = Buffer.alloc(9, 0xfb);
    float.writeDoubleBE(value, 1);
    return float;
  }
  return value < 0 ? head(1, -BigInt(value) - 1n) : head(0, BigInt(value));
}

function head(major: number, length: number | bigint): Buffer {
  const size = BigInt.asUintN(64, BigInt(length));
  if (size < 24n) return Buffer.of((major << 5) | Number(size));
  if (size < 0x1_0000n) return Buffer.of((major << 5) | 25, Number(size) >> 8, Number(size) & 0xff);
  const long = Buffer.alloc(9, (major << 5) | 27);
  long.writeBigUInt64BE(size, 1);
  return long;
}
