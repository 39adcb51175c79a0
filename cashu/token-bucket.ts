export interface TokenBucketOptions {
  /** Calls that may come at once. */
  capacity: number;
  perSecond: number;
  /** Of `capacity`, kept for customers we know: strangers can't lock them out of their mint. */
  keptForKnown?: number;
  /** Unix ms. */
  clock: () => number;
}

/** Bounds calls per time, with a burst. */
export class TokenBucket {
  readonly #options: TokenBucketOptions;
  #level: number;
  #filledAt: number;

  constructor(options: TokenBucketOptions) {
    this.#options = options;
    this.#level = options.capacity;
    this.#filledAt = options.clock();
  }

  /** @returns 0 when the call may go ahead, else the seconds until it might */
  take(known = false): number {
    this.#fill();
    const floor = known ? 0 : (this.#options.keptForKnown ?? 0);
    const missing = floor + 1 - this.#level;
    if (missing > 0) return Math.ceil(missing / this.#options.perSecond);
    this.#level -= 1;
    return 0;
  }

  #fill(): void {
    const { capacity, perSecond, clock } = this.#options;
    const now = clock();
    // A clock set back must not lock everyone out until it caught up.
    const seconds = Math.max(0, now - this.#filledAt) / 1000;
    this.#level = Math.min(capacity, this.#level + seconds * perSecond);
    this.#filledAt = now;
  }
}
