import type { Random } from './random.ts';

/** Any bytes, damaged as a network, a bad client or an attacker would. */
export function mutateBytes(bytes: Buffer, random: Random): Buffer {
  const at = random.int(bytes.length + 1);
  const until = Math.min(bytes.length, at + random.pick([1, 2, 8, 64, 1000]));
  const around = (...middle: Uint8Array[]) =>
    Buffer.concat([bytes.subarray(0, at), ...middle, bytes.subarray(until)]);
  switch (random.int(9)) {
    case 0:
      return Buffer.from(bytes.subarray(0, at));
    case 1:
      return around();
    case 2:
      return around(random.bytes(random.pick([1, 2, 16])), bytes.subarray(at, until));
    case 3:
      return around(bytes.subarray(at, until), bytes.subarray(at, until));
    case 4:
      return around(random.pick(badText), bytes.subarray(at, until));
    case 5:
      return Buffer.concat([random.pick(badText), bytes]);
    case 6:
      return Buffer.concat([bytes, random.pick(badText)]);
    case 7:
      return Buffer.concat([bytes, bytes]);
    default: {
      const flipped = Buffer.from(bytes);
      if (at < flipped.length) flipped[at] = flipped[at]! ^ (1 << random.int(8));
      return flipped;
    }
  }
}

const badText = [
  Buffer.from([0xff]),
  Buffer.from([0xc0, 0x80]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from([0xf4, 0x90, 0x80, 0x80]),
  Buffer.from([0xef, 0xbb, 0xbf]),
  Buffer.from([0xff, 0xfe]),
  Buffer.from([0]),
  Buffer.from('/* a comment */'),
  Buffer.from('// a comment\n'),
  Buffer.from('\u2028'),
  Buffer.from('\r\n\r\n'),
  Buffer.from(','),
  Buffer.from('}'),
  Buffer.from('{'),
  Buffer.from('"'),
];
