import { parentPort, workerData } from 'node:worker_threads';
import { LedgerOpenError } from '../errors.ts';
import { Checkpoints } from './checkpoint.ts';
import { type Connection, connect } from './connection.ts';
import { operations } from './operations/index.ts';
import type { WriterMessage, WriterRequest } from './protocol.ts';
import { batchRunner } from './run-batch.ts';
import { schemaVersion } from './schema-version.ts';

/** ms between two looks whether nobody is writing. */
const TICK = 250;

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

/**
 * The one thread that writes. It exists because an fsync takes longer than a request: the event loop goes on serving
 * while this one waits for the disk, and what came in meanwhile is the next batch.
 */
function serve(db: Connection): void {
  const run = batchRunner(db, operations(db));
  const checkpoints = new Checkpoints(db);
  const ticking = setInterval(() => checkpoints.tick(), TICK);
  parentPort?.on('message', (request: WriterRequest) => {
    if (request.kind === 'batch') {
      send({ kind: 'reply', reply: run(request.batch) });
      checkpoints.afterBatch();
    } else {
      clearInterval(ticking);
      checkpoints.last();
      db.close();
      parentPort?.close();
    }
  });
}

try {
  serve(await open());
  send({ kind: 'ready' });
} catch (error) {
  const { code, message } = error as Error & { code?: string };
  send({ kind: 'unreadable', code: code ?? '', message });
  parentPort?.close();
}
