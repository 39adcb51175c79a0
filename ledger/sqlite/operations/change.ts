import type { KeyHash, Millis, Msat, ProviderId, SessionId, Unit } from '../../units.ts';
import type { Connection } from '../connection.ts';
import { journal } from './journal.ts';

interface Rest {
  balance: Msat;
  refund_minimum: Msat;
  mint: string;
  unit: Unit;
  refund_pubkey: string;
}

export interface ChangeOf {
  account: KeyHash;
  /** UUIDv7 of the refund that this becomes. */
  refund: string;
  provider: ProviderId;
  session: SessionId | '';
}

/**
 * Turns what an `X-Cashu` request left into a refund, in the transaction that ended it, so that no crash can leave money
 * on an account that nobody has a key to. A rest that can't pay its own way back stays with the provider, as an entry.
 */
export function change(db: Connection) {
  const { write, earn } = journal(db);
  const find = db.prepare<[KeyHash], Rest>(`
    select a.balance, a.refund_minimum, a.mint, a.unit, t.refund_pubkey
    from account a
    join redemption r on r.account = a.key_hash and r.role = 'request' and r.state = 'credited'
    join attempt t on t.id = r.attempt
    where a.key_hash = +?`);
  const debit = db.prepare('update account set balance = 0, used = 1 where key_hash = ?');
  const insert = db.prepare(`
    insert into refund (id, account, state, amount, mint, unit, recipient, pubkey, created_at)
    values (:refund, :account, 'debited', :balance, :mint, :unit, null, :refund_pubkey, :now)`);

  /** Returns the refund's id, or null when there is nothing to give back. */
  return ({ account, refund, provider, session }: ChangeOf, now: Millis): string | null => {
    const rest = find.get(account);
    if (rest === undefined) return null;
    const { balance, mint, unit } = rest;
    debit.run(account);
    if (balance === 0n) return null;
    if (balance < rest.refund_minimum) {
      write({ kind: 'fee', reference: refund, account, provider, session, amount: -balance }, now);
      earn({ provider, mint, unit, session, amount: balance });
      return null;
    }
    insert.run({ ...rest, refund, account, now });
    write({ kind: 'refund', reference: refund, account, amount: -balance }, now);
    return refund;
  };
}
