import type { Settle, SettleResult } from '../../hold.ts';
import type { Millis, Msat, SessionId } from '../../units.ts';
import type { Connection } from '../connection.ts';
import { endHold, split } from './end-hold.ts';
import { journal } from './journal.ts';
import { runningHold } from './running-hold.ts';
import { available, chargedWindow, type Spender, spenderColumns, spenderTables } from './spender.ts';

/** A hold that has ended: its entries, and the account as it is now. */
interface EndedHold extends Spender {
  charged: Msat;
  shortfall: Msat;
  reaped: bigint;
  session: SessionId;
  priced: string;
  late_charged: Msat | null;
  late_shortfall: Msat | null;
  refund: string | null;
}

export function settle(db: Connection) {
  const end = endHold(db);
  const { write, earn } = journal(db);
  const find = runningHold<Settle>(db, 'h.id = +:hold and h.provider = +:provider');
  const findEnded = db.prepare<Settle, EndedHold>(`
    select -e.amount as charged, e.shortfall, e.reaped, e.session, e.priced,
      -late.amount as late_charged, late.shortfall as late_shortfall,
      (select id from refund where id = :hold) as refund, ${spenderColumns}
    from entry e
    cross join ${spenderTables}
    left join entry late on late.kind = 'charge_late' and late.reference = +:hold
    where e.kind = 'charge' and e.reference = +:hold and e.provider = +:provider
      and a.key_hash = coalesce(e.spender, e.account)`);
  const debit = db.prepare(`
    update account set balance = balance - :paid, spent = spent + :extra, window_start = :window_start,
      window_spent = :window_spent
    where key_hash = :account`);
  const debitParent = db.prepare(
    'update account set balance = balance - :extra, spent = spent + :extra where key_hash = :parent',
  );

  /** The reaper was first and charged what was accrued. Once, and only upwards: its refund may be on its way. */
  function chargeLate(ended: EndedHold, request: Settle, now: Millis): SettleResult {
    const { charged: wanted } = split(ended, request.cost, ended.charged + available(ended, now));
    const extra = wanted > ended.charged ? wanted - ended.charged : 0n;
    const total = ended.charged + extra;
    const shortfall = request.cost > total ? request.cost - total : 0n;
    const { account, parent, payer, mint, unit, session, priced } = ended;
    const { hold, provider, memo } = request;
    const window = chargedWindow(ended, extra, now);

    debit.run({ account, paid: parent === null ? extra : 0n, extra, ...window });
    if (parent !== null) debitParent.run({ parent, extra });
    write(
      {
        kind: 'charge_late',
        reference: hold,
        account: payer,
        spender: parent === null ? null : account,
        provider,
        session,
        amount: -extra,
        shortfall,
        priced,
        memo,
      },
      now,
    );
    earn({ provider, mint, unit, session, amount: extra });
    return {
      kind: 'settled',
      charged: total,
      shortfall,
      available: available({ ...ended, balance: ended.balance - extra, ...window }, now),
      late: true,
      refund: ended.refund,
    };
  }

  return (request: Settle, now: Millis): SettleResult => {
    const hold = find.get(request);
    if (hold !== undefined) return { kind: 'settled', ...end(hold, request, now), late: false };
    const ended = findEnded.get(request);
    if (ended === undefined) return { kind: 'unknown_hold' };
    if (ended.reaped === 1n && ended.late_charged === null) return chargeLate(ended, request, now);
    return {
      kind: 'settled',
      charged: ended.charged + (ended.late_charged ?? 0n),
      shortfall: ended.late_shortfall ?? ended.shortfall,
      available: available(ended, now),
      late: ended.late_charged !== null,
      refund: ended.refund,
    };
  };
}
