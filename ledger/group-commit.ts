import { LedgerUnavailableError } from './errors.ts';

/** What became of one operation of a batch. */
export type Outcome<Result> = { value: Result } | { error: Error };

export interface GroupCommitOptions<Operation, Result> {
  /** Applies a batch in one durable write, outcomes in the order of `batch`. A rejection is every operation's. */
  write(batch: readonly Operation[]): Promise<readonly Outcome<Result>[]>;
  /** Operations that may wait. The next one is refused: better a 503 than an answer after the client has gone. */
  maxQueued: number;
  /** Operations in one batch. */
  maxBatch: number;
}

interface Waiting<Operation, Result> {
  operation: Operation;
  resolve(result: Result): void;
  reject(error: Error): void;
}

/**
 * Makes one durable write out of many: while a batch is being written, what is asked queues up and goes as the next.
 * An fsync costs the same for one operation as for hundreds, so this is what bounds the requests per second.
 */
export class GroupCommit<Operation, Result> {
  readonly #options: GroupCommitOptions<Operation, Result>;
  #queue: Waiting<Operation, Result>[] = [];
  #running: Promise<void> | undefined;

  constructor(options: GroupCommitOptions<Operation, Result>) {
    this.#options = options;
  }

  /** @throws LedgerUnavailableError `not_applied` when too many wait already. */
  submit(operation: Operation): Promise<Result> {
    if (this.#queue.length >= this.#options.maxQueued) {
      const message = 'The ledger is not available: too many operations are waiting for the disk';
      return Promise.reject(new LedgerUnavailableError('not_applied', { message }));
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ operation, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when nothing is waiting any more. */
  async drained(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // Whatever is asked in the same turn of the event loop belongs to one batch.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, this.#options.maxBatch);
      try {
        const outcomes = await this.#options.write(batch.map(({ operation }) => operation));
        batch.forEach(({ resolve, reject }, position) => {
          const outcome = outcomes[position]!;
          if ('error' in outcome) reject(outcome.error);
          else resolve(outcome.value);
        });
      } catch (error) {
        for (const { reject } of batch) reject(error as Error);
      }
    }
    this.#running = undefined;
  }
}
