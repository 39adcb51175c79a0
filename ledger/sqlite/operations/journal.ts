import type { ChargeMemo } from '../../hold.ts';
import type { KeyHash, Millis, Msat, ProviderId, SessionId, Unit } from '../../units.ts';
import type { Connection } from '../connection.ts';

export interface Entry {
  kind: 'topup' | 'charge' | 'charge_late' | 'refund' | 'fee';
  reference: string;
  account: KeyHash;
  /** The child key that spent it. */
  spender?: KeyHash | null;
  provider?: ProviderId | null;
  session?: SessionId | null;
  /** What it did to the account's balance: the only signed amount. */
  amount: bigint;
  shortfall?: Msat;
  reaped?: boolean;
  priced?: string | null;
  memo?: ChargeMemo | null;
}

/** What a provider got, by whom it was earned. House accounts have no mint. */
export interface Earned {
  provider: ProviderId;
  mint: string | null;
  unit: Unit | null;
  /** '' for what no request earned. */
  session: SessionId | '';
  amount: Msat;
}

/** The journal. Appends only: (kind, reference) is unique, so nothing is ever booked twice. */
export function journal(db: Connection) {
  const insert = db.prepare(`
    insert into entry (kind, reference, account, spender, provider, session, amount, shortfall, reaped, priced,
      model, path, input_msat, output_msat, input_tokens, output_tokens, estimated, created_at)
    values (:kind, :reference, :account, :spender, :provider, :session, :amount, :shortfall, :reaped, :priced,
      :model, :path, :inputMsat, :outputMsat, :inputTokens, :outputTokens, :estimated, :now)`);
  const addEarning = db.prepare(`
    insert into earning (provider, mint, unit, session, amount) values (:provider, :mint, :unit, :session, :amount)
    on conflict (provider, mint, unit, session) do update set amount = amount + excluded.amount`);

  return {
    write(entry: Entry, now: Millis): void {
      const memo = entry.memo ?? null;
      insert.run({
        kind: entry.kind,
        reference: entry.reference,
        account: entry.account,
        spender: entry.spender ?? null,
        provider: entry.provider ?? null,
        session: entry.session ?? null,
        amount: entry.amount,
        shortfall: entry.shortfall ?? 0n,
        reaped: entry.reaped ? 1 : 0,
        priced: entry.priced ?? null,
        model: memo?.model ?? null,
        path: memo?.path ?? null,
        inputMsat: memo?.inputMsat ?? null,
        outputMsat: memo?.outputMsat ?? null,
        inputTokens: memo?.inputTokens ?? null,
        outputTokens: memo?.outputTokens ?? null,
        estimated: memo === null ? null : memo.estimated ? 1 : 0,
        now,
      });
    },

    earn(earned: Earned): void {
      if (earned.amount === 0n) return;
      addEarning.run({ ...earned, mint: earned.mint ?? '', unit: earned.unit ?? 'house' });
    },
  };
}
