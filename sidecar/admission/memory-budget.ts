import { HttpError } from '../errors.ts';

/** Bytes of bodies in memory at once, over all requests: many large bodies must not end the process. */
export class MemoryBudget {
  readonly #limit: () => number;
  #used = 0;

  constructor(limit: () => number) {
    this.#limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  /** One body's share, empty at first. */
  share(): MemoryShare {
    let taken = 0;
    return {
      add: (bytes) => {
        if (this.#used + bytes > this.#limit()) throw new HttpError('rate_limited', { retryAfter: 1 });
        this.#used += bytes;
        taken += bytes;
      },
      giveBack: () => {
        this.#used -= taken;
        taken = 0;
      },
    };
  }
}

export interface MemoryShare {
  /** @throws HttpError `rate_limited` when all bodies together would be too many bytes */
  add(bytes: number): void;
  giveBack(): void;
}
