import type { HoldId, Msat, ProviderId, SessionId } from '../../units.ts';
import type { Connection } from '../connection.ts';
import { type Spender, spenderColumns, spenderTables } from './spender.ts';

/** A hold with who asked and whose money it is. */
export interface RunningHold extends Spender {
  id: HoldId;
  amount: Msat;
  accrued: Msat;
  extended: bigint;
  provider: ProviderId;
  session: SessionId;
  priced: string;
}

/**
 * Selects running holds by a condition on `h`, its parameters written `+:name` (see {@link spenderTables}). What is
 * available is so at the hold's own provider.
 */
export function runningHold<Key extends object>(db: Connection, where: string) {
  const columns = spenderColumns.replaceAll(':provider', 'h.provider');
  return db.prepare<Key, RunningHold>(`
    select h.id, h.amount, h.accrued, h.extended, h.provider, h.session, h.priced, ${columns}
    from hold h cross join ${spenderTables} where a.key_hash = h.account and ${where}`);
}
