import type { Clock } from '../clock.ts';

interface Sleeper {
  until: number;
  wake(): void;
}

/** Time that passes when a test says so. Both its clocks begin at 0. */
export class ManualClock implements Clock {
  #time = 0;
  #sleepers: Sleeper[] = [];
  #somebodySleeps = Promise.withResolvers<void>();

  now(): number {
    return this.#time;
  }

  monotonic(): number {
    return this.#time;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper = { until: this.#time + ms, wake: resolve };
      this.#sleepers.push(sleeper);
      signal?.addEventListener('abort', () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal.reason);
      });
      this.#somebodySleeps.resolve();
    });
  }

  /** Lets `ms` pass, wake-up by wake-up: each loop has done its work and sleeps again before time goes on. */
  async advance(ms: number): Promise<void> {
    const end = this.#time + ms;
    for (;;) {
      const next = this.#sleepers.toSorted((a, b) => a.until - b.until)[0];
      if (next === undefined || next.until > end) break;
      this.#time = Math.max(this.#time, next.until);
      await this.#wake(next);
    }
    this.#time = end;
  }

  /** Time passes and nobody notices: the process was stopped. */
  jump(ms: number): void {
    this.#time += ms;
  }

  /** Resolves when `count` loops sleep. */
  async sleeping(count: number): Promise<void> {
    while (this.#sleepers.length < count) {
      this.#somebodySleeps = Promise.withResolvers();
      await this.#somebodySleeps.promise;
    }
  }

  async #wake(sleeper: Sleeper): Promise<void> {
    const count = this.#sleepers.length;
    this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
    sleeper.wake();
    await this.sleeping(count);
  }
}
