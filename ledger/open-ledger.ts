import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Clock } from './clock.ts';
import { LedgerOpenError } from './errors.ts';
import type { Ledger } from './ledger.ts';
import { SqliteLedger } from './sqlite/sqlite-ledger.ts';

export interface OpenLedgerOptions {
  clock: Pick<Clock, 'now'>;
  /** false: only looks, so it neither makes a database nor migrates one under a running program. Default true. */
  create?: boolean;
}

const SQLITE = 'sqlite://';

/**
 * Opens the ledger that `url` names and brings its schema up to date. `sqlite:///absolute/path`, or
 * `sqlite://relative/path` from the working directory.
 * @throws LedgerOpenError whose message names DATABASE_URL. It never repeats the URL, which may hold a password.
 */
export async function openLedger(url: string, { clock, create = true }: OpenLedgerOptions): Promise<Ledger> {
  const file = sqliteFile(url);
  if (!create && !(await exists(file))) {
    throw new LedgerOpenError(
      'ledger_missing',
      `There is no ledger at ${file}: run \`make dev\` once, which makes one, or set DATABASE_URL to yours`,
    );
  }
  return SqliteLedger.open({ file, clock, create });
}

function sqliteFile(url: string): string {
  const path = url.startsWith(SQLITE) ? url.slice(SQLITE.length) : '';
  if (path === '' || path.includes('?') || path.includes('#')) {
    throw new LedgerOpenError(
      'ledger_url',
      'DATABASE_URL: expected sqlite:///absolute/path/to/ledger.sqlite',
    );
  }
  return resolve(path);
}

async function exists(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch {
    return false;
  }
}
