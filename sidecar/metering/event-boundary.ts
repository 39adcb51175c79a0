const LF = 0x0a;
const CR = 0x0d;

/**
 * Finds where server-sent events end: behind an empty line, lines ending in LF, CR or CRLF (WHATWG HTML, 9.2.5), however
 * the bytes were cut into chunks.
 */
export class EventBoundary {
  #lineEmpty = true;
  #afterCr = false;
  /** An empty line ended in CR at the end of a chunk: the next byte tells whether an LF belongs to it. */
  #undecided = false;
  #plain = false;

  /**
   * Goes on in `chunk` at `from`, which is where the last call stopped.
   * @returns the offset behind the next end of an event (0: it ended with the chunk before); -1 when none is here
   */
  next(chunk: Buffer, from: number): number {
    let at = from;
    if (this.#undecided && at < chunk.length) {
      this.#undecided = false;
      this.#afterCr = false;
      return chunk[at] === LF ? at + 1 : at;
    }
    // Nearly every upstream writes bare line feeds: then whole lines are skipped at once.
    if (from === 0) this.#plain = !chunk.includes(CR);
    if (this.#plain) return this.#nextPlain(chunk, at);
    for (; at < chunk.length; at++) {
      const byte = chunk[at];
      if (byte !== LF && byte !== CR) {
        this.#lineEmpty = false;
        this.#afterCr = false;
      } else if (byte === LF && this.#afterCr) {
        this.#afterCr = false;
      } else if (!this.#lineEmpty) {
        this.#lineEmpty = true;
        this.#afterCr = byte === CR;
      } else if (byte === LF) {
        return at + 1;
      } else if (at + 1 < chunk.length) {
        this.#afterCr = false;
        return chunk[at + 1] === LF ? at + 2 : at + 1;
      } else {
        this.#undecided = true;
      }
    }
    return -1;
  }

  #nextPlain(chunk: Buffer, from: number): number {
    let at = from;
    if (this.#afterCr && at < chunk.length) {
      this.#afterCr = false;
      if (chunk[at] === LF) at++;
    }
    while (at < chunk.length) {
      const lf = chunk.indexOf(LF, at);
      if (lf !== at) this.#lineEmpty = false;
      if (lf === -1) return -1;
      if (this.#lineEmpty) return lf + 1;
      this.#lineEmpty = true;
      at = lf + 1;
    }
    return -1;
  }
}
