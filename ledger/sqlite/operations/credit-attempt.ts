import type { LimitReset } from '../../account.ts';
import { LedgerContractError } from '../../errors.ts';
import type {
  CreditAttempt,
  CreditAttemptResult,
  LockedProof,
  RedemptionRole,
  RedemptionState,
} from '../../redemption.ts';
import type { KeyHash, Millis, Msat, ProviderId, SessionId, Unit } from '../../units.ts';
import type { Connection } from '../connection.ts';
import { account } from './account.ts';
import { journal } from './journal.ts';

interface AttemptRow {
  id: string;
  token_hash: string;
  role: RedemptionRole;
  account: KeyHash;
  preview: string | null;
  expires_at: bigint | null;
  refund_address: string | null;
  refund_minimum: Msat | null;
  balance_limit: Msat | null;
  limit_reset: LimitReset | null;
  valid_until: bigint | null;
  provider: ProviderId;
  session: SessionId;
  gross: Msat;
  fee: Msat;
  state: RedemptionState;
  mint: string;
  unit: Unit;
  credited_account: KeyHash;
  credited: Msat;
}

export function creditAttempt(db: Connection) {
  const { write } = journal(db);
  const findAccount = account(db);
  const find = db.prepare<CreditAttempt, AttemptRow>(`
    select t.*, r.state, r.mint, r.unit, r.account as credited_account, r.credited
    from attempt t join redemption r on r.token_hash = t.token_hash where t.id = +:attempt`);
  const creditedOnInputs = db.prepare<CreditAttempt, { account: KeyHash; amount: Msat }>(`
    select r.account, r.credited as amount
    from attempt_input i join proof p on p.y = i.y join redemption r on r.token_hash = p.redemption
    where i.attempt = +:attempt and r.state = 'credited' limit 1`);
  const announced = db.prepare<CreditAttempt, { y: string }>(
    "select y from proof where attempt = :attempt and state = 'output'",
  );
  const store = db.prepare(`
    update proof set state = 'unspent', keyset = :keyset, amount = :amount, secret = :secret, c = :c, dleq = :dleq
    where y = :y`);
  const bindInputs = db.prepare(`
    insert into proof (y, state, redemption, attempt, provider, mint, unit)
    select y, 'input', :token_hash, :id, :provider, :mint, :unit from attempt_input where attempt = :id
    on conflict (y) do update set redemption = excluded.redemption, attempt = excluded.attempt, provider = excluded.provider`);
  const decide = db.prepare(`
    update redemption set state = 'credited', role = :role, account = :account, provider = :provider, attempt = :id, credited = :amount
    where token_hash = :token_hash`);
  const open = db.prepare(`
    insert into account (key_hash, kind, preview, balance, reserved, own_reserved, spent, requests, mint, unit, refund_minimum,
      refund_address, created_at, expires_at, used, balance_limit, limit_reset, window_start, window_spent, valid_until)
    values (:account, :kind, :preview, 0, 0, 0, 0, 0, :mint, :unit, :refund_minimum, :refund_address, :now, :expires_at, 0,
      :balance_limit, :limit_reset, 0, 0, :valid_until)
    on conflict (key_hash) do nothing`);
  const add = db.prepare('update account set balance = balance + :amount where key_hash = :account');
  const addUnconfirmed = db.prepare(`
    insert into unconfirmed (account, provider, amount) values (:account, :provider, :amount)
    on conflict (account, provider) do update set amount = amount + excluded.amount`);

  /** The sidecar's claim is checked as far as the ledger can: its own outputs, each once, worth what it credits. */
  function checkProofs(credit: CreditAttempt, { unit, gross, fee }: AttemptRow): void {
    const ours = new Set(announced.all(credit).map(({ y }) => y));
    const foreign = credit.proofs.some(({ y }) => !ours.delete(y));
    if (foreign) throw new LedgerContractError('A proof that this attempt did not announce');
    if (worth(credit.proofs, unit) !== gross - fee) {
      throw new LedgerContractError('The proofs are not worth what the attempt credits');
    }
  }

  return (credit: CreditAttempt, now: Millis): CreditAttemptResult => {
    const attempt = find.get(credit);
    if (attempt === undefined) return { kind: 'unknown_attempt' };
    if (attempt.state === 'credited') {
      return { kind: 'already', account: attempt.credited_account, amount: attempt.credited };
    }
    const elsewhere = creditedOnInputs.get(credit);
    if (elsewhere !== undefined) return { kind: 'already', ...elsewhere };
    checkProofs(credit, attempt);

    const amount = attempt.gross - attempt.fee;
    for (const proof of credit.proofs) store.run(proof);
    bindInputs.run(attempt);
    decide.run({ ...attempt, amount });
    if (attempt.role !== 'topup')
      open.run({ ...attempt, kind: attempt.role === 'request' ? 'request' : 'key', now });
    add.run({ account: attempt.account, amount });
    addUnconfirmed.run({ account: attempt.account, provider: attempt.provider, amount });
    const { id, account, provider, session } = attempt;
    write({ kind: 'topup', reference: id, account, provider, session, amount }, now);
    const { available } = findAccount({ key: account, provider }, now)!;
    return { kind: 'credited', account, amount, available };
  };
}

function worth(proofs: readonly LockedProof[], unit: Unit): Msat {
  const sum = proofs.reduce((total, { amount }) => total + amount, 0n);
  return unit === 'sat' ? sum * 1000n : sum;
}
