/** Replaces `[from, to)` of some bytes by a text; an insertion when they are equal. */
export interface Splice {
  from: number;
  to: number;
  text: string;
}

/**
 * The bytes with every splice in place, as views and new pieces: nothing else is copied.
 *
 * @param splices that don't overlap, in any order
 */
export function applySplices(bytes: Buffer, splices: readonly Splice[]): Buffer[] {
  if (splices.length === 0) return [bytes];
  const pieces: Buffer[] = [];
  let at = 0;
  for (const { from, to, text } of splices.toSorted((a, b) => a.from - b.from)) {
    if (from > at) pieces.push(bytes.subarray(at, from));
    pieces.push(Buffer.from(text));
    at = to;
  }
  if (at < bytes.length) pieces.push(bytes.subarray(at));
  return pieces;
}
