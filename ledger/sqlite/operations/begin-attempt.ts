import { LedgerContractError } from '../../errors.ts';
import type { BeginAttempt, BeginAttemptResult, RedemptionState } from '../../redemption.ts';
import type { KeyHash, Millis, Msat, Unit } from '../../units.ts';
import type { Connection } from '../connection.ts';
import { redemption } from './redemption.ts';
import { isExpired } from './spender.ts';

interface Target {
  kind: string;
  mint: string | null;
  unit: Unit | null;
  parent: KeyHash | null;
  expires_at: bigint | null;
  valid_until: bigint | null;
}

type Refusal = Exclude<BeginAttemptResult, { kind: 'begun' | 'known' }>;

export function beginAttempt(db: Connection) {
  const findRedemption = redemption(db);
  const isFenced = db.prepare<BeginAttempt, { fenced: bigint }>(
    'select fenced from session where id = :session',
  );
  const boundTo = db.prepare<[string], { state: RedemptionState | null }>(
    'select r.state from proof p left join redemption r on r.token_hash = p.redemption where p.y = +?',
  );
  const isKnown = db.prepare<[string]>('select 1 from proof where y = ?');
  const findTarget = db.prepare<[KeyHash], Target>(
    'select kind, mint, unit, parent, expires_at, valid_until from account where key_hash = ?',
  );
  // What is under way counts: else a burst of tokens would all fit below the limit.
  const exposure = db.prepare<BeginAttempt, { held: Msat }>(`
    select
      (select coalesce(sum(amount), 0) from proof where state = 'unspent' and mint = :mint and unit = 'sat') * 1000
      + (select coalesce(sum(amount), 0) from proof where state = 'unspent' and mint = :mint and unit = 'msat')
      + (select coalesce(sum(t.gross - t.fee), 0) from redemption r join attempt t on t.id = r.attempt
         where r.state = 'undecided' and r.mint = :mint) as held`);
  const upsertRedemption = db.prepare(`
    insert into redemption (token_hash, state, role, account, provider, mint, unit, attempt, credited, confirmed, created_at)
    values (:tokenHash, 'undecided', :role, :account, :provider, :mint, :unit, :attempt, 0, 0, :now)
    on conflict (token_hash) do update set state = 'undecided', role = excluded.role, account = excluded.account,
      provider = excluded.provider, attempt = excluded.attempt`);
  const insertAttempt = db.prepare(`
    insert into attempt (id, token_hash, role, account, preview, expires_at, refund_address, refund_minimum, balance_limit,
      limit_reset, valid_until, refund_pubkey, provider, session, gross, fee, outputs, created_at)
    values (:attempt, :tokenHash, :role, :account, :preview, :expiresAt, :refundAddress, :refundMinimum, :limit,
      :limitReset, :validUntil, :refundPubkey, :provider, :session, :gross, :fee, :outputs, :now)`);
  const insertInput = db.prepare('insert into attempt_input (attempt, n, y) values (:attempt, :n, :y)');
  const bind = db.prepare(`
    insert into proof (y, state, redemption, attempt, provider, mint, unit)
    values (:y, :state, :tokenHash, :attempt, :provider, :mint, :unit)`);

  function takenInputs(ys: readonly string[]): Refusal | undefined {
    for (const y of ys) {
      const bound = boundTo.get(y);
      if (bound === undefined) continue;
      const by = bound.state === 'undecided' || bound.state === 'spent_elsewhere' ? bound.state : 'credited';
      return { kind: 'inputs_taken', by };
    }
    return undefined;
  }

  function targetRefusal({ target, mint, unit }: BeginAttempt, now: Millis): Refusal | undefined {
    if (target.role !== 'topup') return undefined;
    const account = findTarget.get(target.account);
    if (account === undefined || account.kind === 'request') return { kind: 'account', reason: 'unknown' };
    if (account.parent !== null) return { kind: 'account', reason: 'child' };
    if (isExpired(account, now)) return { kind: 'account', reason: 'expired' };
    if (account.mint !== mint || account.unit !== unit) return { kind: 'account', reason: 'mint' };
    return undefined;
  }

  function exposureRefusal(begin: BeginAttempt): Refusal | undefined {
    if (begin.maxExposure === undefined) return undefined;
    const { held } = exposure.get(begin)!;
    return held + begin.gross - begin.fee > begin.maxExposure ? { kind: 'exposure', held } : undefined;
  }

  return (begin: BeginAttempt, now: Millis): BeginAttemptResult => {
    const { target, attempt, tokenHash, provider, mint, unit } = begin;
    if (begin.fee > begin.gross) throw new LedgerContractError('A token must be worth its fee');
    const account = target.role === 'topup' ? target.account : target.account.keyHash;

    const known = findRedemption(tokenHash);
    if (known !== undefined && known.state !== 'rejected') {
      const same = known.role === target.role && known.account === account;
      return same ? { kind: 'known', redemption: known } : { kind: 'other_role' };
    }
    if (known !== undefined && (known.mint !== mint || known.unit !== unit)) {
      throw new LedgerContractError('A token has one mint and unit');
    }
    if (isFenced.get(begin)?.fenced !== 0n) return { kind: 'fenced' };
    const refusal = takenInputs(begin.inputYs) ?? targetRefusal(begin, now) ?? exposureRefusal(begin);
    if (refusal !== undefined) return refusal;
    if (begin.outputYs.some((y) => isKnown.get(y) !== undefined)) return { kind: 'outputs_taken' };

    const created = target.role === 'topup' ? undefined : target.account;
    upsertRedemption.run({ tokenHash, role: target.role, account, provider, mint, unit, attempt, now });
    insertAttempt.run({
      ...begin,
      role: target.role,
      account,
      preview: created?.preview ?? null,
      expiresAt: created?.expiresAt ?? null,
      refundAddress: created?.refundAddress ?? null,
      refundMinimum: created?.refundMinimum ?? null,
      limit: created?.limit ?? null,
      limitReset: created?.limitReset ?? null,
      validUntil: created?.validUntil ?? null,
      refundPubkey: target.role === 'request' ? target.refundPubkey : null,
      now,
    });
    for (const [n, y] of begin.inputYs.entries()) {
      insertInput.run({ attempt, n, y });
      bind.run({ y, state: 'input', tokenHash, attempt, provider, mint, unit });
    }
    for (const y of begin.outputYs)
      bind.run({ y, state: 'output', tokenHash, attempt, provider, mint, unit });
    return { kind: 'begun' };
  };
}
