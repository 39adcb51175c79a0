import type { Refund, RefundState } from '../../refund.ts';
import type { KeyHash, Msat, Unit } from '../../units.ts';
import type { Connection } from '../connection.ts';

export interface RefundRow {
  id: string;
  account: KeyHash;
  state: RefundState;
  amount: Msat;
  mint: string;
  unit: Unit;
  recipient: string | null;
  sealed: string | null;
  created_at: bigint;
}

export const refundColumns = 'id, account, state, amount, mint, unit, recipient, sealed, created_at';

export function refund(db: Connection) {
  const find = db.prepare<[string], RefundRow>(`select ${refundColumns} from refund where id = ?`);
  return (id: string): Refund | undefined => {
    const row = find.get(id);
    return row && toRefund(row);
  };
}

export function toRefund({ created_at, ...same }: RefundRow): Refund {
  return { ...same, createdAt: Number(created_at) };
}
