import { parentPort, workerData } from 'node:worker_threads';
import { LedgerOpenError } from '../errors.ts';
import { type Connection, connect } from './connection.ts';
import { operations } from './operations/index.ts';
import type { Batch, WriterMessage, WriterRequest } from './protocol.ts';
import { batchRunner } from './run-batch.ts';
import { schemaVersion } from './schema-version.ts';

/**
 * The one thread that writes. It exists because an fsync takes longer than a request: the event loop goes on serving
 * while this one waits for the disk, and what came in meanwhile is the next batch.
 */
const { file, create } = workerData as { file: string; create: boolean };

function send(message: WriterMessage): void {
  parentPort?.postMessage(message);
}

async function open(): Promise<Connection> {
  const db = connect(file, { create });
  const version = schemaVersion(db);
  if (version === 'usable') return db;
  if (!create) {
    throw new LedgerOpenError(
      'ledger_outdated',
      `The ledger in ${file} is ${version === 'empty' ? 'empty' : 'of an older version'}: start the sidecar once, which prepares it`,
    );
  }
  // Kysely is loaded only where there is something to migrate: it would be half of the time to start.
  const { migrate } = await import('./migrate.ts');
  await migrate(file);
  return db;
}

function serve(db: Connection): void {
  const run = batchRunner(db, operations(db));
  const answer = (batch: Batch) => send({ kind: 'reply', reply: run(batch) });
  parentPort?.on('message', (request: WriterRequest) => {
    switch (request.kind) {
      case 'batch':
        return answer(request.batch);
      case 'checkpoint':
        return checkpoint(db, 'PASSIVE');
      case 'close':
        // Not to wait for a reader elsewhere: a log that stays costs the next start only milliseconds.
        db.pragma('busy_timeout = 100');
        checkpoint(db, 'TRUNCATE');
        db.close();
        send({ kind: 'closed' });
        parentPort?.close();
    }
  });
}

function checkpoint(db: Connection, mode: 'PASSIVE' | 'TRUNCATE'): void {
  try {
    db.pragma(`wal_checkpoint(${mode})`);
  } catch {
    // A full disk, say. The log keeps what was committed until the next time.
  }
}

try {
  serve(await open());
  send({ kind: 'ready' });
} catch (error) {
  const { code, message } = error as Error & { code?: string };
  send({ kind: 'unreadable', code: code ?? '', message });
  parentPort?.close();
}
