import { LedgerContractError } from '../../errors.ts';
import type { ReleaseResult } from '../../hold.ts';
import type { HoldId, Millis, SessionId } from '../../units.ts';
import type { Connection } from '../connection.ts';
import { endHold } from './end-hold.ts';
import { runningHold } from './running-hold.ts';

interface Release {
  hold: HoldId;
  session: SessionId;
}

export function release(db: Connection) {
  const end = endHold(db);
  const find = runningHold<Release>(db, 'h.id = +:hold');
  const charged = db.prepare<Release>("select 1 from entry where kind = 'charge' and reference = :hold");
  // Also for a hold that was here: its reserve may have been sent twice.
  const bury = db.prepare(
    'insert into tombstone (hold, session, created_at) values (:hold, :session, :now) on conflict (hold) do nothing',
  );

  return (request: Release, now: Millis): ReleaseResult => {
    const hold = find.get(request);
    if (hold === undefined) {
      if (charged.get(request) !== undefined) return { kind: 'settled' };
      bury.run({ ...request, now });
      return { kind: 'tombstone' };
    }
    if (hold.session !== request.session)
      throw new LedgerContractError('A hold is released by its own session');
    bury.run({ ...request, now });
    const { available, refund } = end(hold, null, now);
    return { kind: 'released', available, refund };
  };
}
