import type { ChargeMemo } from '../../hold.ts';
import { windowStart } from '../../limit-window.ts';
import type { Millis, Msat } from '../../units.ts';
import type { Connection } from '../connection.ts';
import { change } from './change.ts';
import { journal } from './journal.ts';
import type { RunningHold } from './running-hold.ts';
import { available, type Spender, spentInWindow } from './spender.ts';

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
    update account set balance = balance - :charged, reserved = reserved - :amount, spent = spent + :charged,
      requests = requests + :counted
    where key_hash = :payer`);
  const debitChild = db.prepare(`
    update account set reserved = reserved - :amount, spent = spent + :charged, requests = requests + :counted,
      window_start = :windowStart, window_spent = :windowSpent
    where key_hash = :account`);

  return (hold: RunningHold, charge: Charge | null, now: Millis): Ended => {
    const { charged, shortfall } = split(hold, charge?.cost ?? 0n, hold.amount + available(hold, now));
    const counted = charge === null ? 0 : 1;

    remove.run(hold.id);
    debit.run({ charged, amount: hold.amount, counted, payer: hold.payer });
    if (hold.parent !== null) {
      const windowSpent = spentInWindow(hold, now) + charged;
      const start = windowStart(hold.limit_reset, now);
      debitChild.run({
        charged,
        amount: hold.amount,
        counted,
        account: hold.account,
        windowStart: start,
        windowSpent,
      });
    }
    if (charge !== null) {
      const { provider, session, mint, unit, priced } = hold;
      const spender = hold.parent === null ? null : hold.account;
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
    reserved: hold.reserved - hold.amount,
    window_spent: spentInWindow(hold, now) + charged,
    window_start: BigInt(windowStart(hold.limit_reset, now)),
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
