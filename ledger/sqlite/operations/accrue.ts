import type { Accrual } from '../../hold.ts';
import type { SessionId } from '../../units.ts';
import type { Connection } from '../connection.ts';

export function accrue(db: Connection) {
  const isFenced = db.prepare<[SessionId], { fenced: bigint }>('select fenced from session where id = ?');
  const raise = db.prepare(`
    update hold set accrued = min(amount, :accrued)
    where id = :hold and session = :session and accrued < min(amount, :accrued)`);

  return ({
    session,
    accruals,
  }: {
    session: SessionId;
    accruals: readonly Accrual[];
  }): 'accrued' | 'fenced' => {
    if (isFenced.get(session)?.fenced !== 0n) return 'fenced';
    for (const { hold, accrued } of accruals) raise.run({ hold, accrued, session });
    return 'accrued';
  };
}
