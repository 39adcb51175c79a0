import type { ChargeMemo } from '../../hold.ts';
import type { Millis, Msat } from '../../units.ts';
import type { Connection } from '../connection.ts';
import { change } from './change.ts';
import { journal } from './journal.ts';
import type { RunningHold } from './running-hold.ts';
import { available, chargedWindow, type Spender } from './spender.ts';

export interface Charge {
  cost: Msat;
  /** Null when the reaper charges: it knows only what was accrued. */
  memo: ChargeMemo | null;
}

export interface Ended {
  charged: Msat;
  shortfall: Msat;
  available: Msat;
  refund: string | null;
}

/**
 * The end of a hold, whoever brings it: the hold goes, the charge (if any) is taken and booked, and an `X-Cashu`
 * account is closed. The only place where a hold's money moves.
 */
export function endHold(db: Connection) {
  const { write, earn } = journal(db);
  const closeRequest = change(db);
  const remove = db.prepare('delete from hold where id = ?');
  const debit = db.prepare(`
    update account set balance = balance - :paid, reserved = reserved - :amount, own_reserved = own_reserved - :amount,
      spent = spent + :charged, requests = requests + :counted, window_start = :window_start, window_spent = :window_spent
    where key_hash = :account`);
  const debitParent = db.prepare(`
    update account set balance = balance - :charged, reserved = reserved - :amount, spent = spent + :charged,
      requests = requests + :counted
    where key_hash = :parent`);

  return (hold: RunningHold, charge: Charge | null, now: Millis): Ended => {
    const { charged, shortfall } = split(hold, charge?.cost ?? 0n, hold.amount + available(hold, now));
    const counted = charge === null ? 0 : 1;

    remove.run(hold.id);
    const { account, parent, amount } = hold;
    const window = chargedWindow(hold, charged, now);
    debit.run({ account, paid: parent === null ? charged : 0n, charged, amount, counted, ...window });
    if (parent !== null) debitParent.run({ parent, charged, amount, counted });
    if (charge !== null) {
      const { provider, session, mint, unit, priced } = hold;
      const spender = parent === null ? null : account;
      const reaped = charge.memo === null;
      write(
        {
          kind: 'charge',
          reference: hold.id,
          account: hold.payer,
          spender,
          provider,
          session,
          amount: -charged,
          shortfall,
          reaped,
          priced,
          memo: charge.memo,
        },
        now,
      );
      earn({ provider, mint, unit, session, amount: charged });
    }
    const refund =
      hold.kind === 'request'
        ? closeRequest(
            { account: hold.account, refund: hold.id, provider: hold.provider, session: hold.session },
            now,
          )
        : null;
    return {
      charged,
      shortfall,
      available: hold.kind === 'request' ? 0n : available(without(hold, charged, now), now),
      refund,
    };
  };
}

/** The account as it is after the end of `hold`. */
function without(hold: RunningHold, charged: Msat, now: Millis): Spender {
  return {
    ...hold,
    balance: hold.balance - charged,
    payer_reserved: hold.payer_reserved - hold.amount,
    own_reserved: hold.own_reserved - hold.amount,
    ...chargedWindow(hold, charged, now),
  };
}

/**
 * What a cost takes from the `room` there is. The change of an `X-Cashu` request is paid out in whole sats when its mint
 * has no smaller ones, so the part of a sat that nobody could be given is charged, and booked as charged.
 */
export function split(spender: Spender, cost: Msat, room: Msat): { charged: Msat; shortfall: Msat } {
  const whole = spender.kind === 'request' && spender.unit === 'sat' ? ((cost + 999n) / 1000n) * 1000n : cost;
  const charged = whole < room ? whole : room;
  return { charged, shortfall: cost > charged ? cost - charged : 0n };
}
