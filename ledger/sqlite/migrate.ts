import { Kysely, SqliteDialect } from 'kysely';
import { Migrator } from 'kysely/migration';
import { migrations } from '../migrations/index.ts';
import { connect } from './connection.ts';

/**
 * Brings the schema of `file` up to date, all of it or nothing.
 *
 * Kysely migrates SQLite without a lock and without a transaction: of two processes that start at once one would fail,
 * and one killed half-way would leave half a schema. So the whole runs on one connection that holds the write lock; who
 * comes second waits, and then finds nothing to do.
 * @throws the first error of a migration
 */
export async function migrate(file: string): Promise<void> {
  const database = connect(file, { create: true });
  try {
    database.defaultSafeIntegers(false);
    database.exec('begin immediate');
    const db = new Kysely<unknown>({ dialect: new SqliteDialect({ database }) });
    const all = migrations({ int64: 'integer', table: 'strict, without rowid' });
    const { error } = await new Migrator({
      db,
      provider: { getMigrations: async () => all },
    }).migrateToLatest();
    if (error !== undefined) throw error;
    database.exec('commit');
  } finally {
    database.close();
  }
}
