import { randomUUIDv7 } from 'node:crypto';
import type { CreateChildren } from '../account.ts';
import type { Clock } from '../clock.ts';
import { LedgerContractError, LedgerUnavailableError } from '../errors.ts';
import { GroupCommit, type Outcome } from '../group-commit.ts';
import type { Accrual, Extend, Reserve, Settle } from '../hold.ts';
import type { RequestInvoice } from '../invoice.ts';
import type { Ledger } from '../ledger.ts';
import type { BeginAttempt, CreditAttempt } from '../redemption.ts';
import type { RequestRefund } from '../refund.ts';
import type { HoldId, KeyHash, ProviderId, SessionId } from '../units.ts';
import type { Call, Failure, Input, OperationName, Output } from './protocol.ts';
import { WriterThread } from './writer-thread.ts';

export interface SqliteLedgerOptions {
  file: string;
  clock: Pick<Clock, 'now'>;
  /** Makes and migrates the file where needed; without it a missing or older file is an error. */
  create: boolean;
  /** Operations that may wait for the disk. */
  maxQueued?: number;
}

/** Enough for seconds of full load. */
const MAX_QUEUED = 10_000;
/** A batch runs for some 10 ms then, of which the fsync is the smaller part: more would only make each one wait. */
const MAX_BATCH = 512;

/** The ledger in one SQLite file, written by one thread of this process. Other processes may use the file, too. */
export class SqliteLedger implements Ledger {
  readonly #options: SqliteLedgerOptions;
  readonly #commits: GroupCommit<Call, unknown>;
  #writer: WriterThread;
  #closed = false;

  private constructor(options: SqliteLedgerOptions, writer: WriterThread) {
    this.#options = options;
    this.#writer = writer;
    this.#commits = new GroupCommit({
      write: (calls) => this.#write(calls),
      maxQueued: options.maxQueued ?? MAX_QUEUED,
      maxBatch: MAX_BATCH,
    });
  }

  /** @throws LedgerOpenError */
  static async open(options: SqliteLedgerOptions): Promise<SqliteLedger> {
    return new SqliteLedger(options, await WriterThread.start(options.file, { create: options.create }));
  }

  reserve(reserve: Reserve) {
    return this.#ask('reserve', reserve);
  }

  extend(extend: Extend) {
    return this.#ask('extend', extend);
  }

  accrue(session: SessionId, accruals: readonly Accrual[]) {
    return this.#ask('accrue', { session, accruals });
  }

  settle(settle: Settle) {
    return this.#ask('settle', settle);
  }

  release(hold: HoldId, session: SessionId) {
    return this.#ask('release', { hold, session });
  }

  openSession(provider: ProviderId) {
    return this.#ask('openSession', { id: randomUUIDv7(), provider });
  }

  heartbeat(session: SessionId) {
    return this.#ask('heartbeat', session);
  }

  observeSessions(observer: SessionId) {
    return this.#ask('observeSessions', observer);
  }

  reap(session: SessionId, counter: bigint) {
    return this.#ask('reap', { session, counter });
  }

  holdsOf(session: SessionId) {
    return this.#ask('holdsOf', session);
  }

  account(key: KeyHash, provider: ProviderId) {
    return this.#ask('account', { key, provider });
  }

  children(parent: KeyHash, provider: ProviderId) {
    return this.#ask('children', { parent, provider });
  }

  createChildren(create: CreateChildren) {
    return this.#ask('createChildren', create);
  }

  resetChild(parent: KeyHash, child: KeyHash) {
    return this.#ask('resetChild', { parent, child });
  }

  history(key: KeyHash, limit: number) {
    return this.#ask('history', { key, limit });
  }

  beginAttempt(begin: BeginAttempt) {
    return this.#ask('beginAttempt', begin);
  }

  creditAttempt(credit: CreditAttempt) {
    return this.#ask('creditAttempt', credit);
  }

  rejectAttempt(attempt: string) {
    return this.#ask('rejectAttempt', attempt);
  }

  markSpentElsewhere(attempt: string) {
    return this.#ask('markSpentElsewhere', attempt);
  }

  redemption(tokenHash: string) {
    return this.#ask('redemption', tokenHash);
  }

  attemptsOnInputs(ys: readonly string[]) {
    return this.#ask('attemptsOnInputs', ys);
  }

  undecidedAttempts(provider: ProviderId, limit: number) {
    return this.#ask('undecidedAttempts', { provider, limit });
  }

  requestRefund(request: RequestRefund) {
    return this.#ask('requestRefund', request);
  }

  requestChange(tokenHash: string, id: string) {
    return this.#ask('requestChange', { tokenHash, id });
  }

  refund(id: string) {
    return this.#ask('refund', id);
  }

  requestInvoice(request: RequestInvoice) {
    return this.#ask('requestInvoice', request);
  }

  invoice(idHash: string) {
    return this.#ask('invoice', idHash);
  }

  epoch() {
    return this.#ask('epoch', undefined);
  }

  audit() {
    return this.#ask('audit', undefined);
  }

  /** Applies what was asked before, then closes the file. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#commits.drained();
    await this.#writer.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #ask<N extends OperationName>(name: N, input: Input<N>): Promise<Output<N>> {
    if (this.#closed) throw new LedgerUnavailableError('not_applied', { message: 'The ledger is closed' });
    return (await this.#commits.submit([name, input])) as Output<N>;
  }

  async #write(calls: readonly Call[]): Promise<Outcome<unknown>[]> {
    const reply = await (await this.#liveWriter()).run({ now: this.#options.clock.now(), calls });
    if ('all' in reply) throw toError(reply.all);
    return reply.results.map((value, position) => {
      const failure = reply.failed[position];
      return failure === undefined ? { value } : { error: toError(failure) };
    });
  }

  /** A writer that crashed is replaced by the next batch: until then nothing can be asked of it anyway. */
  async #liveWriter(): Promise<WriterThread> {
    if (this.#writer.dead) {
      try {
        this.#writer = await WriterThread.start(this.#options.file, { create: false });
      } catch (cause) {
        throw new LedgerUnavailableError('not_applied', { cause });
      }
    }
    return this.#writer;
  }
}

function toError(failure: Failure): Error {
  if (failure.kind === 'contract') return new LedgerContractError(failure.message);
  return new LedgerUnavailableError(failure.outcome, { message: failure.message });
}
