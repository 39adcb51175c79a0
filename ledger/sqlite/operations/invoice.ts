import type { Invoice, InvoiceState, RequestInvoice, RequestInvoiceResult } from '../../invoice.ts';
import type { KeyHash, Millis, Msat, Unit } from '../../units.ts';
import type { Connection } from '../connection.ts';
import { isExpired } from './spender.ts';

interface InvoiceRow {
  id_hash: string;
  state: InvoiceState;
  purpose: 'create' | 'topup';
  account: KeyHash;
  amount: Msat;
  mint: string | null;
  bolt11: string | null;
  payment_hash: string | null;
  created_at: bigint;
  expires_at: bigint | null;
  paid_at: bigint | null;
}

interface ToppedUp {
  kind: string;
  mint: string | null;
  unit: Unit;
  parent: KeyHash | null;
  expires_at: bigint | null;
  valid_until: bigint | null;
}

export function requestInvoice(db: Connection) {
  const find = db.prepare<RequestInvoice, ToppedUp>(
    'select kind, mint, unit, parent, expires_at, valid_until from account where key_hash = :account',
  );
  // Asked twice (a lost answer) it is still one invoice.
  const insert = db.prepare(`
    insert into invoice (id_hash, state, purpose, account, preview, provider, mint, unit, amount, wanted_until, created_at)
    values (:idHash, 'requested', :purpose, :account, :preview, :provider, :mint, :unit, :amount, :wantedUntil, :now)
    on conflict (id_hash) do nothing`);

  return (request: RequestInvoice, now: Millis): RequestInvoiceResult => {
    const [first] = request.mints;
    if (request.purpose === 'create') {
      if (first === undefined) return { kind: 'refused', reason: 'mint' };
      insert.run({ ...request, mint: first, unit: 'sat', now });
      return { kind: 'requested' };
    }
    const account = find.get(request);
    if (account === undefined || account.kind === 'request')
      return { kind: 'refused', reason: 'unknown_account' };
    if (account.parent !== null) return { kind: 'refused', reason: 'child' };
    if (isExpired(account, now)) return { kind: 'refused', reason: 'expired' };
    if (account.mint === null || !request.mints.includes(account.mint))
      return { kind: 'refused', reason: 'mint' };
    insert.run({ ...request, mint: account.mint, unit: account.unit, now });
    return { kind: 'requested' };
  };
}

export function invoice(db: Connection) {
  const find = db.prepare<[string], InvoiceRow>(`
    select id_hash, state, purpose, account, amount, mint, bolt11, payment_hash, created_at, expires_at, paid_at
    from invoice where id_hash = ?`);

  return (idHash: string): Invoice | undefined => {
    const row = find.get(idHash);
    if (row === undefined) return undefined;
    const { id_hash, payment_hash, created_at, expires_at, paid_at, ...same } = row;
    return {
      ...same,
      idHash: id_hash,
      paymentHash: payment_hash,
      createdAt: Number(created_at),
      expiresAt: expires_at === null ? null : Number(expires_at),
      paidAt: paid_at === null ? null : Number(paid_at),
    };
  };
}
