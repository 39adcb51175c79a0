import Database from 'better-sqlite3';

/** A connection whose integers are all bigint: amounts do not fit a double. */
export type Connection = Database.Database;

/** How long (ms) a writer waits for another process before it gives up. */
const BUSY_TIMEOUT = 5000;

/**
 * Opens the file as every thread of ours does. `synchronous=FULL`: what was committed survives a power cut, which is
 * what "durable before a byte goes upstream" means. No automatic checkpoints: see checkpoint.ts.
 */
export function connect(file: string, options: { create: boolean }): Connection {
  const db = new Database(file, { fileMustExist: !options.create, timeout: BUSY_TIMEOUT });
  db.defaultSafeIntegers(true);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.pragma('wal_autocheckpoint = 0');
  db.pragma('cache_size = -16000');
  return db;
}
