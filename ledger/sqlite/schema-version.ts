import { LedgerOpenError } from '../errors.ts';
import { SCHEMA_VERSION } from '../migrations/schema-version.ts';
import type { Connection } from './connection.ts';

/**
 * Compares the file's schema with the one this code knows. A newer one is fine as long as its last incompatible
 * migration is known here: during a rolling update old processes restart, too.
 * @throws LedgerOpenError `ledger_too_new`
 */
export function schemaVersion(db: Connection): 'empty' | 'outdated' | 'usable' {
  const table = db.prepare("select 1 from sqlite_schema where type = 'table' and name = 'meta'").get();
  if (table === undefined) return 'empty';
  const meta = db
    .prepare<[], { version: bigint; min_compatible: bigint }>('select version, min_compatible from meta')
    .get();
  if (meta === undefined) return 'empty';
  if (meta.min_compatible > SCHEMA_VERSION) {
    throw new LedgerOpenError(
      'ledger_too_new',
      `The ledger's schema is version ${meta.version} and this program knows ${SCHEMA_VERSION}: run the newer program, or restore the backup made before the update`,
    );
  }
  return meta.version < SCHEMA_VERSION ? 'outdated' : 'usable';
}
