/**
 * How much work at the mints one client address may cause: a token bucket an address. Bounded: when there are more
 * addresses than it remembers, the one not seen for the longest is forgotten.
 */
export class ClientLimits {
  readonly #perMinute: () => number;
  readonly #now: () => number;
  readonly #capacity: number;
  readonly #buckets = new Map<string, { left: number; at: number }>();

  /** @param now monotonic ms */
  constructor(perMinute: () => number, now: () => number, capacity = 10_000) {
    this.#perMinute = perMinute;
    this.#now = now;
    this.#capacity = capacity;
  }

  /** @returns 0 when the address may go on, else the seconds it should wait */
  take(address: string): number {
    const limit = this.#perMinute();
    const now = this.#now();
    const bucket = this.#buckets.get(address) ?? { left: limit, at: now };
    this.#buckets.delete(address);
    this.#buckets.set(address, bucket);
    if (this.#buckets.size > this.#capacity) this.#buckets.delete(this.#buckets.keys().next().value!);
    bucket.left = Math.min(limit, bucket.left + ((now - bucket.at) * limit) / 60_000);
    bucket.at = now;
    if (bucket.left < 1) return Math.ceil(((1 - bucket.left) * 60) / limit);
    bucket.left -= 1;
    return 0;
  }
}
