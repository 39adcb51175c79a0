import { LedgerContractError } from '../../errors.ts';
import type { Reserve, ReserveResult } from '../../hold.ts';
import type { Millis, Msat } from '../../units.ts';
import type { Connection } from '../connection.ts';
import {
  available,
  isExpired,
  limitAvailable,
  payerAvailable,
  type Spender,
  spenderColumns,
  spenderTables,
} from './spender.ts';

interface Found extends Spender {
  fenced: bigint | null;
  held: Msat | null;
  ended: bigint;
}

/** `ended` also catches an id that was charged: asked again, it must not serve a second request for one charge. */
export function reserve(db: Connection) {
  const find = db.prepare<Reserve, Found>(`
    select ${spenderColumns},
      (select fenced from session where id = :session) as fenced,
      (select amount from hold where id = :hold) as held,
      exists (select 1 from tombstone where hold = :hold)
        or exists (select 1 from entry where kind = 'charge' and reference = :hold) as ended
    from ${spenderTables} where a.key_hash = +:account`);
  const insert = db.prepare(`
    insert into hold (id, account, payer, amount, accrued, extended, provider, session, priced, created_at)
    values (:hold, :account, :payer, :amount, :accrued, 0, :provider, :session, :priced, :now)`);
  const setAside = db.prepare(`
    update account set reserved = reserved + :amount, own_reserved = own_reserved + :amount, used = :used
    where key_hash = :account`);
  const setAsideParent = db.prepare(
    'update account set reserved = reserved + :amount where key_hash = :parent',
  );

  return (request: Reserve, now: Millis): ReserveResult => {
    if (request.accrued > request.amount) throw new LedgerContractError('A hold must cover what it accrued');
    const found = find.get(request);
    if (found === undefined) return { kind: 'refused', reason: 'unknown_account' };
    if (found.ended === 1n) return { kind: 'refused', reason: 'released' };
    if (found.held !== null) return { kind: 'reserved', available: available(found, now) };
    if (found.fenced !== 0n) return { kind: 'refused', reason: 'fenced' };
    if (isExpired(found, now)) return { kind: 'refused', reason: 'expired' };
    if (found.mint !== null && !request.mints.includes(found.mint))
      return { kind: 'refused', reason: 'mint' };
    if (found.used === 1n) return { kind: 'refused', reason: 'used' };
    const ofPayer = payerAvailable(found);
    const ofLimit = limitAvailable(found, now);
    // The limit first: who is told that money is missing tops up, and would be refused all the same.
    if (ofLimit !== null && ofLimit < request.amount)
      return { kind: 'limit', available: available(found, now) };
    if (ofPayer < request.amount) return { kind: 'insufficient', available: ofPayer };

    insert.run({ ...request, payer: found.payer, now });
    const { amount } = request;
    setAside.run({ amount, account: found.account, used: found.kind === 'request' ? 1 : 0 });
    if (found.parent !== null) setAsideParent.run({ amount, parent: found.parent });
    return { kind: 'reserved', available: available(after(found, amount), now) };
  };
}

function after(spender: Spender, amount: Msat): Spender {
  return {
    ...spender,
    payer_reserved: spender.payer_reserved + amount,
    own_reserved: spender.own_reserved + amount,
  };
}
