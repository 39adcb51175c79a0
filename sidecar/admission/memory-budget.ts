import { HttpError } from '../errors.ts';

/**
 * Bytes of bodies in memory at once, over all requests: many large bodies must not end the process. One client address
 * gets a quarter at most, so that nobody shuts the others out.
 */
export class MemoryBudget {
  readonly #limit: () => number;
  readonly #byAddress = new Map<string, number>();
  #used = 0;

  constructor(limit: () => number) {
    this.#limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  /** One body's share, empty at first. */
  share(address: string): MemoryShare {
    let taken = 0;
    return {
      add: (bytes) => {
        const limit = this.#limit();
        const own = (this.#byAddress.get(address) ?? 0) + bytes;
        if (this.#used + bytes > limit || own > limit / 4)
          throw new HttpError('rate_limited', { retryAfter: 1 });
        this.#used += bytes;
        this.#byAddress.set(address, own);
        taken += bytes;
      },
      giveBack: () => {
        if (taken === 0) return;
        this.#used -= taken;
        const own = this.#byAddress.get(address)! - taken;
        if (own > 0) this.#byAddress.set(address, own);
        else this.#byAddress.delete(address);
        taken = 0;
      },
    };
  }
}

export interface MemoryShare {
  /** @throws HttpError `rate_limited` when all bodies together, or one address's, would be too many bytes */
  add(bytes: number): void;
  giveBack(): void;
}
