import type { Extend, ExtendResult } from '../../hold.ts';
import type { Millis } from '../../units.ts';
import type { Connection } from '../connection.ts';
import { runningHold } from './running-hold.ts';
import { available } from './spender.ts';

export function extend(db: Connection) {
  const find = runningHold<Extend>(db, 'h.id = +:hold and h.session = +:session');
  const isFenced = db.prepare<Extend, { fenced: bigint }>('select fenced from session where id = :session');
  const raise = db.prepare('update hold set amount = amount + :more, extended = :n where id = :id');
  const setAside = db.prepare(
    'update account set reserved = reserved + :more, own_reserved = own_reserved + :more where key_hash = :account',
  );
  const setAsideParent = db.prepare(
    'update account set reserved = reserved + :more where key_hash = :parent',
  );

  return (request: Extend, now: Millis): ExtendResult => {
    if (isFenced.get(request)?.fenced !== 0n) return { kind: 'refused', reason: 'fenced' };
    const hold = find.get(request);
    if (hold === undefined) return { kind: 'refused', reason: 'unknown_hold' };
    const spendable = available(hold, now);
    const more = request.amount - hold.amount;
    if (BigInt(request.n) <= hold.extended || more <= 0n) return { kind: 'extended', available: spendable };
    if (spendable < more) return { kind: 'insufficient', available: spendable };

    raise.run({ more, n: request.n, id: hold.id });
    setAside.run({ more, account: hold.account });
    if (hold.parent !== null) setAsideParent.run({ more, parent: hold.parent });
    return { kind: 'extended', available: spendable - more };
  };
}
