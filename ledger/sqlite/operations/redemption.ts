import type { Redemption, RedemptionRole, RedemptionState } from '../../redemption.ts';
import type { KeyHash, Msat, ProviderId, Unit } from '../../units.ts';
import type { Connection } from '../connection.ts';

interface RedemptionRow {
  token_hash: string;
  state: RedemptionState;
  role: RedemptionRole | null;
  account: KeyHash;
  provider: ProviderId;
  mint: string;
  unit: Unit;
  credited: Msat;
  created_at: bigint;
}

export function redemption(db: Connection) {
  const find = db.prepare<[string], RedemptionRow>(`
    select token_hash, state, role, account, provider, mint, unit, credited, created_at
    from redemption where token_hash = ?`);

  return (tokenHash: string): Redemption | undefined => {
    const row = find.get(tokenHash);
    if (row === undefined) return undefined;
    const { token_hash, created_at, ...same } = row;
    return { tokenHash: token_hash, ...same, createdAt: Number(created_at) };
  };
}
