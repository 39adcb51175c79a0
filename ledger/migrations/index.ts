import type { Migration } from 'kysely/migration';
import { ledger } from './0001-ledger.ts';
import type { SqlTypes } from './sql-types.ts';

/**
 * All migrations, oldest first. Each one that older code can't live with raises `meta.min_compatible` to its own
 * number; the others leave it, so that during a rolling update the old processes go on.
 */
export function migrations(types: SqlTypes): Record<string, Migration> {
  return {
    '0001-ledger': ledger(types),
  };
}
