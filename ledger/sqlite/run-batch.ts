import { LedgerContractError } from '../errors.ts';
import type { Connection } from './connection.ts';
import { type Operations, readOnly } from './operations/index.ts';
import type { Batch, Call, Failure, Reply } from './protocol.ts';

/** Runs batches on `db`, each in one transaction with one fsync. */
export function batchRunner(db: Connection, operations: Operations): (batch: Batch) => Reply {
  const begin = db.prepare('begin immediate');
  const beginRead = db.prepare('begin');
  const commit = db.prepare('commit');
  const rollback = db.prepare('rollback');
  const savepoint = db.prepare('savepoint operation');
  const rollbackTo = db.prepare('rollback to operation');
  const releaseSavepoint = db.prepare('release operation');

  function call([name, input]: Call, now: number): unknown {
    return (operations[name] as (input: unknown, now: number) => unknown)(input, now);
  }

  /** SQLite ends the transaction by itself on some errors. */
  function undo(): void {
    if (db.inTransaction) rollback.run();
  }

  /** The way taken after something threw that should not have: whose fault it was pays, the others are applied. */
  function oneByOne(batch: Batch): Reply {
    const results: unknown[] = [];
    const failed: (Failure | undefined)[] = [];
    begin.run();
    for (const operation of batch.calls) {
      savepoint.run();
      try {
        results.push(call(operation, batch.now));
        failed.push(undefined);
      } catch (error) {
        if (isOfTheDatabase(error)) throw error;
        rollbackTo.run();
        results.push(undefined);
        failed.push({ kind: 'contract', message: contractMessage(operation[0], error) });
      }
      releaseSavepoint.run();
    }
    return { results, failed };
  }

  return (batch) => {
    let reply: Reply;
    try {
      (batch.calls.every(([name]) => readOnly.has(name)) ? beginRead : begin).run();
      try {
        reply = { results: batch.calls.map((operation) => call(operation, batch.now)), failed: [] };
      } catch (error) {
        undo();
        if (isOfTheDatabase(error)) throw error;
        reply = oneByOne(batch);
      }
    } catch (error) {
      undo();
      return { all: unavailable('not_applied', error) };
    }
    try {
      commit.run();
    } catch (error) {
      // The commit record may be in the file already: rolled back here, found by a recovery after a crash.
      undo();
      return { all: unavailable('unknown', error) };
    }
    return reply;
  };
}

function unavailable(outcome: 'not_applied' | 'unknown', error: unknown): Failure {
  return { kind: 'unavailable', outcome, message: `The ledger is not available: ${messageOf(error)}` };
}

/** The disk, the lock, the file: nothing an operation is to blame for, so no other operation would fare better. */
function isOfTheDatabase(error: unknown): boolean {
  const code = codeOf(error);
  return code.startsWith('SQLITE_') && !/^SQLITE_(CONSTRAINT|MISMATCH|RANGE|TOOBIG|ERROR)/.test(code);
}

function contractMessage(name: string, error: unknown): string {
  return error instanceof LedgerContractError ? error.message : `${name}: ${messageOf(error)}`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
