import { parentPort, workerData } from 'node:worker_threads';
import { connect } from './connection.ts';

/**
 * Moves what was committed from the write-ahead log into the database, beside the writer instead of within somebody's
 * commit. A passive checkpoint never makes the writer wait, but under steady load it never gets to the end either, and
 * only a log that was copied to its end starts again from the front. So beyond `LONG` frames it tells the main thread,
 * which has the writer copy the few that are left, between two batches.
 */
const EVERY = 1000;
/** 4 KiB each. */
const LONG = 4096;

const { file } = workerData as { file: string };
const db = connect(file, { create: false });

const timer = setInterval(() => {
  try {
    const [state] = db.pragma('wal_checkpoint(PASSIVE)') as [{ log: bigint; checkpointed: bigint }];
    if (state.log > LONG && state.checkpointed < state.log) parentPort?.postMessage('long');
  } catch {
    // A full disk, say. The writer finds out by itself, and the log keeps everything until the next time.
  }
}, EVERY);

parentPort?.on('message', () => {
  clearInterval(timer);
  db.close();
  parentPort?.close();
});
