import type { ReapResult } from '../../session.ts';
import type { Millis, SessionId } from '../../units.ts';
import type { Connection } from '../connection.ts';
import { endHold } from './end-hold.ts';
import { runningHold } from './running-hold.ts';

export interface Reap {
  session: SessionId;
  counter: bigint;
}

export function reap(db: Connection) {
  const end = endHold(db);
  const fence = db.prepare(
    'update session set fenced = 1 where id = :session and counter = :counter and fenced = 0',
  );
  const ids = db.prepare<Reap, { id: string }>('select id from hold where session = :session');
  // One by one: each end changes what the next hold of the same account finds.
  const find = runningHold<{ id: string }>(db, 'h.id = +:id');

  return (request: Reap, now: Millis): ReapResult => {
    if (fence.run(request).changes === 0) return { fenced: false, holds: [], charged: 0n };
    const result: ReapResult = { fenced: true, holds: [], charged: 0n };
    for (const key of ids.all(request)) {
      const hold = find.get(key)!;
      result.charged += end(hold, { cost: hold.accrued, memo: null }, now).charged;
      result.holds.push(hold.id);
    }
    return result;
  };
}
