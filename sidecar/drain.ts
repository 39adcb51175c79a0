import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningRequests } from './admission/running-requests.ts';

export type DrainState = 'serving' | 'leaving' | 'refusing';

export interface DrainOptions {
  running: RunningRequests;
  /** ms to go on serving with readiness off, until no endpoint sends new requests. */
  propagation: () => number;
  /** ms that running requests get after that. */
  deadline: () => number;
  /** Ends what still runs: its clients get an error event and pay for what they got. */
  cut: () => void;
}

/**
 * Draining, a state and not an end: a model container's preStop calls for it also when only that container restarts.
 *
 *   serving ─► leaving ─► refusing ─► (drained) ─► serving
 *              readiness   503 for      nothing       when nobody
 *              off         new ones     runs          ends us after all
 */
export class Drain {
  readonly #options: DrainOptions;
  #state: DrainState = 'serving';
  #under: Promise<void> | undefined;

  constructor(options: DrainOptions) {
    this.#options = options;
  }

  get state(): DrainState {
    return this.#state;
  }

  /** Resolves when nothing runs any more. All callers wait for the same drain. */
  start(): Promise<void> {
    this.#under ??= this.#run();
    return this.#under;
  }

  /** Back to serving, unless a drain is still under way. */
  cancel(): void {
    if (this.#under) return;
    this.#state = 'serving';
  }

  async #run(): Promise<void> {
    const { running, propagation, deadline, cut } = this.#options;
    this.#state = 'leaving';
    await sleep(propagation());
    this.#state = 'refusing';
    const late = new AbortController();
    await Promise.race([
      running.idle(),
      sleep(deadline(), undefined, { signal: late.signal }).catch(() => {}),
    ]);
    late.abort();
    if (running.size > 0) cut();
    await running.idle();
    this.#under = undefined;
  }
}
