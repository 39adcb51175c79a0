import { Kysely, SqliteDialect, type SqliteDialectConfig } from 'kysely';
import { Migrator } from 'kysely/migration';
import { migrations } from '../migrations/index.ts';
import { type Connection, connect } from './connection.ts';

/**
 * Brings the schema of `file` up to date, once, whoever else tries at the same time.
 * @throws the first error of a migration; its transaction is rolled back.
 */
export async function migrate(file: string): Promise<void> {
  const connection = connect(file, { create: true });
  connection.defaultSafeIntegers(false);
  const db = new Kysely<unknown>({ dialect: new SqliteDialect({ database: lockFirst(connection) }) });
  try {
    const all = migrations({ int64: 'integer', table: 'strict, without rowid' });
    const migrator = new Migrator({ db, provider: { getMigrations: async () => all } });
    const { error } = await migrator.migrateToLatest();
    if (error !== undefined) throw error;
  } finally {
    await db.destroy();
  }
}

/**
 * Kysely's SQLite driver takes no migration lock and begins with a read: of two processes that start at once, one
 * would fail when it comes to write. Beginning with the write lock makes it wait, and then find nothing to do.
 */
function lockFirst(connection: Connection): NonNullable<Extract<SqliteDialectConfig['database'], object>> {
  return {
    prepare: (sql) => connection.prepare(sql === 'begin' ? 'begin immediate' : sql),
    close: () => connection.close(),
  };
}
