import type { CreateChildren, CreateChildrenResult } from '../../account.ts';
import type { KeyHash, Millis } from '../../units.ts';
import type { Connection } from '../connection.ts';
import { journal } from './journal.ts';
import {
  available,
  chargedWindow,
  isExpired,
  limitAvailable,
  type Spender,
  spenderColumns,
  spenderTables,
} from './spender.ts';

export function createChildren(db: Connection) {
  const { write, earn } = journal(db);
  const find = db.prepare<CreateChildren, Spender & { done: bigint }>(`
    select ${spenderColumns}, exists (select 1 from entry where kind = 'charge' and reference = :reference) as done
    from ${spenderTables} where a.key_hash = +:parent`);
  const insert = db.prepare(`
    insert into account (key_hash, kind, preview, balance, reserved, own_reserved, spent, requests, mint, unit, refund_minimum,
      created_at, used, parent, balance_limit, limit_reset, window_start, window_spent, valid_until)
    values (:keyHash, :kind, :preview, 0, 0, 0, 0, 0, :mint, :unit, 0, :now, 0, :parent, :limit, :limitReset, 0, 0, :validUntil)`);
  const debit = db.prepare(`
    update account set balance = balance - :cost, spent = spent + :cost, window_start = :window_start,
      window_spent = :window_spent
    where key_hash = :parent`);

  return (request: CreateChildren, now: Millis): CreateChildrenResult => {
    const parent = find.get(request);
    if (parent === undefined || parent.kind === 'request')
      return { kind: 'refused', reason: 'unknown_account' };
    const spendable = available(parent, now);
    if (parent.done === 1n) return { kind: 'created', parentAvailable: spendable };
    if (parent.parent !== null) return { kind: 'refused', reason: 'child' };
    if (isExpired(parent, now)) return { kind: 'refused', reason: 'expired' };
    const { mint, unit } = parent;
    if (mint !== null && !request.mints.includes(mint)) return { kind: 'refused', reason: 'mint' };
    const { cost, provider, reference } = request;
    if (spendable < cost) {
      const ofLimit = limitAvailable(parent, now);
      const reason = ofLimit !== null && ofLimit < cost ? 'limit' : 'insufficient';
      return { kind: 'refused', reason, available: spendable };
    }

    for (const child of request.children) {
      insert.run({
        keyHash: child.keyHash,
        kind: parent.kind,
        preview: child.preview,
        mint,
        unit,
        now,
        parent: request.parent,
        limit: child.limit ?? null,
        limitReset: child.limitReset ?? null,
        validUntil: child.validUntil ?? null,
      });
    }
    debit.run({ cost, parent: request.parent, ...chargedWindow(parent, cost, now) });
    write({ kind: 'charge', reference, account: request.parent, provider, session: '', amount: -cost }, now);
    earn({ provider, mint, unit, session: '', amount: cost });
    return { kind: 'created', parentAvailable: spendable - cost };
  };
}

export function resetChild(db: Connection) {
  const reset = db.prepare(
    'update account set window_spent = 0 where key_hash = :child and parent = :parent',
  );
  return (request: { parent: KeyHash; child: KeyHash }): 'reset' | 'unknown_child' =>
    reset.run(request).changes === 1 ? 'reset' : 'unknown_child';
}
