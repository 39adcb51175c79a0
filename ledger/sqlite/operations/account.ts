import type { Account } from '../../account.ts';
import type { KeyHash, Millis, ProviderId } from '../../units.ts';
import type { Connection } from '../connection.ts';
import { available, type Spender, spenderColumns, spenderTables } from './spender.ts';

interface AccountRow extends Spender {
  preview: string;
  reserved: bigint;
  spent: bigint;
  requests: bigint;
  created_at: bigint;
  own_expires_at: bigint | null;
  refund_address: string | null;
}

const select = `select ${spenderColumns}, a.preview, a.reserved, a.spent, a.requests, a.created_at, a.expires_at as own_expires_at, a.refund_address
  from ${spenderTables}`;

export function account(db: Connection) {
  const find = db.prepare<{ key: KeyHash; provider: ProviderId }, AccountRow>(
    `${select} where a.key_hash = +:key`,
  );
  return (request: { key: KeyHash; provider: ProviderId }, now: Millis): Account | undefined => {
    const row = find.get(request);
    return row && toAccount(row, now);
  };
}

export function children(db: Connection) {
  const find = db.prepare<{ parent: KeyHash; provider: ProviderId }, AccountRow>(
    `${select} where a.parent = +:parent order by a.created_at, a.key_hash`,
  );
  return (request: { parent: KeyHash; provider: ProviderId }, now: Millis): Account[] =>
    find.all(request).map((row) => toAccount(row, now));
}

function toAccount(row: AccountRow, now: Millis): Account {
  const spendable = available(row, now);
  return {
    keyHash: row.account,
    kind: row.kind,
    preview: row.preview,
    available: spendable,
    balance: row.parent === null ? row.balance : spendable + row.reserved,
    reserved: row.reserved,
    spent: row.spent,
    requests: Number(row.requests),
    mint: row.mint,
    unit: row.unit,
    createdAt: Number(row.created_at),
    expiresAt: millis(row.own_expires_at),
    refundAddress: row.refund_address,
    parent: row.parent,
    limit: row.balance_limit,
    limitReset: row.limit_reset,
    validUntil: millis(row.valid_until),
  };
}

function millis(value: bigint | null): Millis | null {
  return value === null ? null : Number(value);
}
