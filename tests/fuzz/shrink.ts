/** The least of an input that still fails: pieces are cut out, ever smaller ones, as long as that is so. */
export function shrink(input: Buffer, fails: (smaller: Buffer) => boolean): Buffer {
  let least = input;
  for (let size = Math.ceil(input.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < least.length; ) {
      const without = Buffer.concat([least.subarray(0, at), least.subarray(at + size)]);
      if (fails(without)) least = without;
      else at += size;
    }
  }
  return least;
}

/** Whether a check throws. */
export function throws(check: () => void): boolean {
  try {
    check();
    return false;
  } catch {
    return true;
  }
}
