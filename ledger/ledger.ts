import type { Account, CreateChildren, CreateChildrenResult, Transaction } from './account.ts';
import type { AuditReport } from './audit.ts';
import type {
  Accrual,
  Extend,
  ExtendResult,
  ReleaseResult,
  Reserve,
  ReserveResult,
  Settle,
  SettleResult,
} from './hold.ts';
import type { Invoice, RequestInvoice, RequestInvoiceResult } from './invoice.ts';
import type {
  Attempt,
  BeginAttempt,
  BeginAttemptResult,
  CreditAttempt,
  CreditAttemptResult,
  Redemption,
} from './redemption.ts';
import type { Refund, RequestChangeResult, RequestRefund, RequestRefundResult } from './refund.ts';
import type { ReapResult, Session, SessionBeat } from './session.ts';
import type { HoldId, KeyHash, ProviderId, SessionId } from './units.ts';

/**
 * The money. One interface, and one contract suite that every adapter of it passes.
 *
 * What is refused is a result; what can't be answered throws {@link LedgerUnavailableError}, what can't be meant
 * {@link LedgerContractError}. A promise that resolved is durable. Operations that are called while a batch is being written go together as the next one.
 */
export interface Ledger extends AsyncDisposable {
  reserve(reserve: Reserve): Promise<ReserveResult>;
  extend(extend: Extend): Promise<ExtendResult>;
  /** One write for all of a process's running requests. Answers `fenced` when its session was reaped. */
  accrue(session: SessionId, accruals: readonly Accrual[]): Promise<'accrued' | 'fenced'>;
  settle(settle: Settle): Promise<SettleResult>;
  release(hold: HoldId, session: SessionId): Promise<ReleaseResult>;

  openSession(provider: ProviderId): Promise<Session>;
  /** Raises the session's counter. */
  heartbeat(session: SessionId): Promise<'alive' | 'fenced'>;
  /** The sessions that are not fenced. Writes as well as reads, so that an observer knows its own writes succeed. */
  observeSessions(observer: SessionId): Promise<SessionBeat[]>;
  reap(session: SessionId, counter: bigint): Promise<ReapResult>;
  /** The holds a session has in the ledger, to compare with those in memory. */
  holdsOf(session: SessionId): Promise<HoldId[]>;

  /** `available` is what `provider` could reserve. */
  account(key: KeyHash, provider: ProviderId): Promise<Account | undefined>;
  /** `available` is what `provider` could reserve. */
  children(parent: KeyHash, provider: ProviderId): Promise<Account[]>;
  createChildren(create: CreateChildren): Promise<CreateChildrenResult>;
  /** Starts a child's limit again. Nobody starts a parent's own again: it waits for its window. */
  resetChild(parent: KeyHash, child: KeyHash): Promise<'reset' | 'unknown_child'>;
  /** At most `limit` transactions, newest first. */
  history(key: KeyHash, limit: number): Promise<Transaction[]>;

  beginAttempt(begin: BeginAttempt): Promise<BeginAttemptResult>;
  creditAttempt(credit: CreditAttempt): Promise<CreditAttemptResult>;
  /** The mint has the inputs unspent and knows nothing of the outputs: frees the Ys and the role. No-op once decided otherwise. */
  rejectAttempt(attempt: string): Promise<void>;
  /** The inputs are spent and not by us. No-op once credited. */
  markSpentElsewhere(attempt: string): Promise<void>;
  redemption(tokenHash: string): Promise<Redemption | undefined>;
  /** Every attempt that ever named one of these Ys as an input, whatever the token, oldest first. */
  attemptsOnInputs(ys: readonly string[]): Promise<Attempt[]>;
  /** Latest attempts of undecided redemptions of a provider, oldest first. */
  undecidedAttempts(provider: ProviderId, limit: number): Promise<Attempt[]>;

  requestRefund(request: RequestRefund): Promise<RequestRefundResult>;
  /** The change of the `X-Cashu` request that this token paid for. `id`: UUIDv7 for a new refund. */
  requestChange(tokenHash: string, id: string): Promise<RequestChangeResult>;
  refund(id: string): Promise<Refund | undefined>;
  requestInvoice(request: RequestInvoice): Promise<RequestInvoiceResult>;
  invoice(idHash: string): Promise<Invoice | undefined>;

  /** The wallet's fencing number: 0 until a wallet has ever worked on this ledger, so nobody need wait for one. */
  epoch(): Promise<bigint>;
  audit(): Promise<AuditReport>;
  close(): Promise<void>;
}
