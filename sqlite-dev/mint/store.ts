import { randomBytes } from 'node:crypto';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { BlindSignature } from './messages.ts';
import type { MeltQuote, MintQuote } from './quotes.ts';

const schema = `
  CREATE TABLE IF NOT EXISTS seed (seed BLOB NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS keyset (
    n INTEGER PRIMARY KEY, unit TEXT NOT NULL, input_fee_ppk INTEGER NOT NULL, active INTEGER NOT NULL, final_expiry INTEGER
  ) STRICT;
  CREATE TABLE IF NOT EXISTS spent (y TEXT PRIMARY KEY, unit TEXT NOT NULL, amount INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS pending (point TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS signature (
    output TEXT PRIMARY KEY, unit TEXT NOT NULL, amount INTEGER NOT NULL, signature TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS quote (id TEXT PRIMARY KEY, pending INTEGER NOT NULL, quote TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS pending_quote ON quote (pending) WHERE pending = 1;
  CREATE TABLE IF NOT EXISTS flow (unit TEXT, kind TEXT, amount INTEGER NOT NULL, PRIMARY KEY (unit, kind)) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS reply (request TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

export interface KeysetRow {
  n: number;
  unit: string;
  input_fee_ppk: number;
  active: 0 | 1;
  /** Unix s. */
  final_expiry: number | null;
}

/** Money that crosses the mint's border, or stays with it. */
export type Flow = 'paid_in' | 'paid_out' | 'fees';

export type ProofState = 'UNSPENT' | 'PENDING' | 'SPENT';

/** Everything the mint must not forget, in one SQLite file: what was committed here survives a `kill -9`. */
export class MintStore {
  readonly seed: Uint8Array;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** @param path a file, or `:memory:` */
  constructor(path: string) {
    this.#database = new DatabaseSync(path);
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    this.#database.exec(schema);
    this.#run('INSERT INTO seed SELECT ? WHERE NOT EXISTS (SELECT 1 FROM seed)', randomBytes(32));
    this.seed = this.#row<{ seed: Uint8Array }>('SELECT seed FROM seed')!.seed;
  }

  /** All of `work` or nothing of it. Durable when it returns. */
  transaction<T>(work: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  keysets(): KeysetRow[] {
    return this.#rows<KeysetRow>('SELECT * FROM keyset ORDER BY n');
  }

  addKeyset(keyset: KeysetRow): void {
    const { n, unit, input_fee_ppk, active, final_expiry } = keyset;
    this.#run('INSERT INTO keyset VALUES (?, ?, ?, ?, ?)', n, unit, input_fee_ppk, active, final_expiry);
  }

  deactivateKeysets(unit: string): void {
    this.#run('UPDATE keyset SET active = 0 WHERE unit = ?', unit);
  }

  /** `now` in Unix ms: a mark of `pending` hides a spend that was committed already. */
  proofState(y: string, now: number): ProofState {
    if (this.isPending(y, now)) return 'PENDING';
    return this.#row('SELECT 1 FROM spent WHERE y = ?', y) ? 'SPENT' : 'UNSPENT';
  }

  spend(y: string, unit: string, amount: number): void {
    this.#run('INSERT INTO spent VALUES (?, ?, ?)', y, unit, amount);
  }

  /** `point`: a proof's Y or an output's B_. */
  isPending(point: string, now: number): boolean {
    return this.#row('SELECT 1 FROM pending WHERE point = ? AND until > ?', point, now) !== undefined;
  }

  /** `until` in Unix ms. */
  markPending(point: string, until: number): void {
    this.#run('INSERT OR REPLACE INTO pending VALUES (?, ?)', point, until);
  }

  clearPending(point: string): void {
    this.#run('DELETE FROM pending WHERE point = ?', point);
  }

  /** The signature given on an output; not while the output is pending. */
  signature(output: string, now: number): BlindSignature | undefined {
    if (this.isPending(output, now)) return undefined;
    const row = this.#row<{ signature: string }>('SELECT signature FROM signature WHERE output = ?', output);
    return row && JSON.parse(row.signature);
  }

  addSignature(output: string, unit: string, signature: BlindSignature): void {
    const text = JSON.stringify(signature);
    this.#run('INSERT INTO signature VALUES (?, ?, ?, ?)', output, unit, signature.amount, text);
  }

  quote<Q extends MintQuote | MeltQuote>(kind: Q['kind'], id: string): Q | undefined {
    const row = this.#row<{ quote: string }>('SELECT quote FROM quote WHERE id = ?', id);
    const quote = row && (JSON.parse(row.quote) as Q);
    return quote?.kind === kind ? quote : undefined;
  }

  saveQuote(quote: MintQuote | MeltQuote): void {
    const pending = quote.kind === 'melt' && quote.state === 'PENDING' ? 1 : 0;
    this.#run('INSERT OR REPLACE INTO quote VALUES (?, ?, ?)', quote.id, pending, JSON.stringify(quote));
  }

  pendingMelts(): MeltQuote[] {
    const rows = this.#rows<{ quote: string }>('SELECT quote FROM quote WHERE pending = 1');
    return rows.map(({ quote }) => JSON.parse(quote));
  }

  addFlow(unit: string, kind: Flow, amount: bigint): void {
    const upsert =
      'INSERT INTO flow VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET amount = amount + excluded.amount';
    this.#run(upsert, unit, kind, amount);
  }

  flow(unit: string, kind: Flow): bigint {
    return this.#sum('SELECT amount AS sum FROM flow WHERE unit = ? AND kind = ?', unit, kind);
  }

  issued(unit: string): bigint {
    return this.#sum('SELECT sum(amount) AS sum FROM signature WHERE unit = ?', unit);
  }

  redeemed(unit: string): bigint {
    return this.#sum('SELECT sum(amount) AS sum FROM spent WHERE unit = ?', unit);
  }

  /** The answer once given to exactly this request (NUT-19). */
  reply(request: string): string | undefined {
    return this.#row<{ body: string }>('SELECT body FROM reply WHERE request = ?', request)?.body;
  }

  saveReply(request: string, body: string): void {
    this.#run('INSERT OR IGNORE INTO reply VALUES (?, ?)', request, body);
  }

  close(): void {
    this.#database.close();
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #run(sql: string, ...values: (string | number | bigint | Uint8Array | null)[]): void {
    this.#statement(sql).run(...values);
  }

  #row<T>(sql: string, ...values: (string | number)[]): T | undefined {
    return this.#statement(sql).get(...values) as T | undefined;
  }

  #rows<T>(sql: string): T[] {
    return this.#statement(sql).all() as T[];
  }

  #sum(sql: string, ...values: string[]): bigint {
    const statement = this.#statement(sql);
    statement.setReadBigInts(true);
    return (statement.get(...values) as { sum: bigint | null } | undefined)?.sum ?? 0n;
  }
}
