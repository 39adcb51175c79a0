import { setTimeout as sleep } from 'node:timers/promises';

export type DrainState = 'serving' | 'leaving' | 'refusing';

/** Resolves when nothing of its kind is under way, at once when nothing is. */
interface Idle {
  idle(): Promise<void>;
}

export interface DrainOptions {
  /** Holds that this process answers for. */
  running: Idle;
  /** Answers on their way to clients. */
  replies: Idle;
  /** ms to go on serving with readiness off, until no endpoint sends new requests. */
  propagation: () => number;
  /** ms that running requests get after that. */
  deadline: () => number;
  /** Ends what still runs: its clients get an error event and pay for what they got. */
  cut: () => void;
}

/** ms that clients get to read the end of their answers after everything was cut. */
const lastBytes = 5_000;

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

  /** Resolves when nothing runs any more and what was said has reached its clients. All callers wait for the same drain. */
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
    const { running, replies, propagation, deadline, cut } = this.#options;
    this.#state = 'leaving';
    await sleep(propagation());
    this.#state = 'refusing';
    const whole = Promise.all([running.idle(), replies.idle()]).then(() => true);
    if (!(await within(deadline(), whole))) {
      cut();
      // However late, each hold is ended here: a charge that is not written yet is the reaper's guess otherwise.
      await running.idle();
      await within(lastBytes, replies.idle());
    }
    this.#under = undefined;
  }
}

/** @returns undefined when `promise` took longer than `ms` */
async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  const over = new AbortController();
  const timer = sleep(ms, undefined, { signal: over.signal }).catch(() => undefined);
  try {
    return await Promise.race([promise, timer]);
  } finally {
    over.abort();
  }
}
