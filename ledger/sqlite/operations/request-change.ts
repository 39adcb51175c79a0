import type { RedemptionState } from '../../redemption.ts';
import type { RequestChangeResult } from '../../refund.ts';
import type { KeyHash, Millis, ProviderId } from '../../units.ts';
import type { Connection } from '../connection.ts';
import { change } from './change.ts';
import { type RefundRow, refund, refundColumns, toRefund } from './refund.ts';

interface Paid {
  state: RedemptionState;
  account: KeyHash;
  provider: ProviderId;
  used: bigint | null;
  running: bigint;
}

export interface RequestChange {
  tokenHash: string;
  /** UUIDv7 for a new refund. */
  id: string;
}

export function requestChange(db: Connection) {
  const close = change(db);
  const findRefund = refund(db);
  const find = db.prepare<RequestChange, Paid>(`
    select r.state, r.account, r.provider, a.used, exists (select 1 from hold where payer = r.account) as running
    from redemption r left join account a on a.key_hash = r.account
    where r.token_hash = :tokenHash and r.role = 'request'`);
  const ofAccount = db.prepare<[KeyHash], RefundRow>(`select ${refundColumns} from refund where account = ?`);

  return (request: RequestChange, now: Millis): RequestChangeResult => {
    const paid = find.get(request);
    if (paid === undefined || paid.state === 'spent_elsewhere') return { kind: 'unknown' };
    if (paid.state !== 'credited') return { kind: 'undecided' };
    if (paid.running === 1n) return { kind: 'running' };
    const earlier = ofAccount.get(paid.account);
    if (earlier !== undefined) return { kind: 'refund', refund: toRefund(earlier) };
    if (paid.used === 1n) return { kind: 'nothing' };
    const { account, provider } = paid;
    const id = close({ account, refund: request.id, provider, session: '' }, now);
    return id === null ? { kind: 'nothing' } : { kind: 'refund', refund: findRefund(id)! };
  };
}
