import type { Transaction } from '../../account.ts';
import type { KeyHash } from '../../units.ts';
import type { Connection } from '../connection.ts';

interface TransactionRow extends Omit<Transaction, 'createdAt' | 'collected' | 'swept'> {
  created_at: bigint;
  collected: bigint;
  swept: bigint;
}

/** Money in and out of an account. What requests cost is in the journal, one line a request, and not in here. */
export function history(db: Connection) {
  const find = db.prepare<{ key: KeyHash; limit: number }, TransactionRow>(`
    select attempt as id, 'in' as type, case role when 'request' then 'x-cashu' else 'cashu' end as source,
      credited as amount, unit, mint, created_at, 0 as collected, 0 as swept
    from redemption where account = :key and state = 'credited'
    union all
    select id_hash, 'in', 'lightning', amount, unit, mint, paid_at, 0, 0
    from invoice where account = :key and state = 'paid'
    union all
    select id, 'out', 'refund', amount, unit, mint, created_at, state = 'delivered', state = 'swept'
    from refund where account = :key and state <> 'returned'
    order by created_at desc, id desc limit :limit`);

  return (request: { key: KeyHash; limit: number }): Transaction[] =>
    find.all(request).map(({ created_at, collected, swept, ...same }) => ({
      ...same,
      createdAt: Number(created_at),
      collected: collected === 1n,
      swept: swept === 1n,
    }));
}
