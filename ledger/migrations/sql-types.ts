/** Where the SQL of the databases differs. Everything else in a migration is the same text for both. */
export interface SqlTypes {
  /** 64 bits: msat, milliseconds, counters. SQLite's STRICT tables know it as `integer`, which has 32 in PostgreSQL. */
  int64: 'integer' | 'bigint';
  /** What follows the closing bracket of a table. */
  table: string;
}
