import type { AccountKind } from '../../account.ts';
import type { RefundState, RequestRefund, RequestRefundResult } from '../../refund.ts';
import type { KeyHash, Millis, Msat, Unit } from '../../units.ts';
import type { Connection } from '../connection.ts';
import { journal } from './journal.ts';
import { type RefundRow, refundColumns, toRefund } from './refund.ts';

interface Owner {
  kind: AccountKind;
  parent: KeyHash | null;
  balance: Msat;
  reserved: Msat;
  mint: string;
  unit: Unit;
  refund_minimum: Msat;
  refund_address: string | null;
}

const underWay: readonly RefundState[] = ['debited', 'planned', 'failed'];

/**
 * The request is the debit. Asked again it gives the same refund: until a token is claimed its owner may need it again,
 * so unclaimed ones come before new ones.
 */
export function requestRefund(db: Connection) {
  const { write } = journal(db);
  const find = db.prepare<RequestRefund, Owner>(
    'select kind, parent, balance, reserved, mint, unit, refund_minimum, refund_address from account where key_hash = :account',
  );
  // `failed` is still to be credited back. A paid Lightning refund is `delivered`.
  const open = db.prepare<RequestRefund, RefundRow>(`
    select ${refundColumns} from refund
    where account = :account and state in ('debited', 'planned', 'failed', 'minted') order by created_at, id`);
  const lastUnclaimed = db.prepare<RequestRefund, RefundRow>(`
    select ${refundColumns} from refund
    where account = :account and state in ('minted', 'swept') order by state = 'minted' desc, created_at desc, id desc limit 1`);
  const debit = db.prepare('update account set balance = balance - :amount where key_hash = :account');
  const insert = db.prepare<object, RefundRow>(`
    insert into refund (id, account, state, amount, mint, unit, recipient, pubkey, created_at)
    values (:id, :account, 'debited', :amount, :mint, :unit, :recipient, :pubkey, :now) returning ${refundColumns}`);

  return (request: RequestRefund, now: Millis): RequestRefundResult => {
    const owner = find.get(request);
    if (owner === undefined || owner.kind === 'request')
      return { kind: 'refused', reason: 'unknown_account' };
    if (owner.parent !== null) return { kind: 'refused', reason: 'child' };
    if (owner.kind === 'house') return { kind: 'refused', reason: 'house' };

    const recipient = request.recipient ?? owner.refund_address;
    const earlier = open.all(request);
    const running = earlier.find(({ state }) => underWay.includes(state));
    if (running !== undefined && running.recipient !== recipient) return { kind: 'other_destination' };
    const same = running ?? earlier.find((row) => row.recipient === recipient);
    if (same !== undefined) return { kind: 'refund', refund: toRefund(same) };
    if (owner.reserved > 0n) return { kind: 'running' };

    const amount = owner.unit === 'sat' ? owner.balance - (owner.balance % 1000n) : owner.balance;
    if (amount === 0n || amount < owner.refund_minimum) {
      const unclaimed = lastUnclaimed.get(request);
      if (unclaimed !== undefined) return { kind: 'refund', refund: toRefund(unclaimed) };
      return { kind: owner.balance === 0n ? 'nothing' : 'too_small' };
    }
    const { id, account, pubkey } = request;
    const { mint, unit } = owner;
    debit.run({ amount, account });
    write({ kind: 'refund', reference: id, account, amount: -amount }, now);
    return {
      kind: 'refund',
      refund: toRefund(insert.get({ id, account, amount, mint, unit, recipient, pubkey, now })!),
    };
  };
}
