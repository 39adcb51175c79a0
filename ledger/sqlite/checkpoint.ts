import type { Connection } from './connection.ts';

/** Frames (4 KiB each) from which on the log is copied even under load: it must start again some time, or fill the disk. */
const LONG = 4096;

/**
 * When the write-ahead log is copied into the database. SQLite by itself would do it within whichever commit comes
 * next; here it happens between batches, when nobody waits, and only a long log makes the next batch wait for it.
 */
export class Checkpoints {
  readonly #db: Connection;
  readonly #state;
  /** `busy`: written since the last tick. `quiet`: not any more, but not copied yet. */
  #log: 'clean' | 'busy' | 'quiet' = 'clean';

  constructor(db: Connection) {
    this.#db = db;
    this.#state = db.prepare<[], { log: bigint; checkpointed: bigint }>('pragma wal_checkpoint(noop)');
  }

  /** After a batch was answered. */
  afterBatch(): void {
    this.#log = 'busy';
    if (this.#state.get()!.log >= LONG) this.#run('passive');
  }

  /** To be called now and then: copies the log once nothing was written between two calls. */
  tick(): void {
    if (this.#log === 'quiet') this.#run('passive');
    this.#log = this.#log === 'busy' ? 'quiet' : 'clean';
  }

  /** Empties the log, unless another process reads from it: then it costs the next start some milliseconds. */
  last(): void {
    this.#db.pragma('busy_timeout = 100');
    this.#run('truncate');
  }

  #run(mode: 'passive' | 'truncate'): void {
    try {
      this.#db.pragma(`wal_checkpoint(${mode})`);
    } catch {
      // A full disk, say. The log keeps what was committed, and the next commit tells whom it concerns.
    }
  }
}
