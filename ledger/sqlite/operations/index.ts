import type { Connection } from '../connection.ts';
import { account, children } from './account.ts';
import { accrue } from './accrue.ts';
import { attemptsOnInputs, undecidedAttempts } from './attempts.ts';
import { audit } from './audit.ts';
import { beginAttempt } from './begin-attempt.ts';
import { createChildren, resetChild } from './children.ts';
import { creditAttempt } from './credit-attempt.ts';
import { markSpentElsewhere, rejectAttempt } from './decide-attempt.ts';
import { epoch } from './epoch.ts';
import { extend } from './extend.ts';
import { history } from './history.ts';
import { invoice, requestInvoice } from './invoice.ts';
import { reap } from './reap.ts';
import { redemption } from './redemption.ts';
import { refund } from './refund.ts';
import { release } from './release.ts';
import { requestChange } from './request-change.ts';
import { requestRefund } from './request-refund.ts';
import { reserve } from './reserve.ts';
import { heartbeat, holdsOf, observeSessions, openSession } from './session.ts';
import { settle } from './settle.ts';

/**
 * Every operation, its statements prepared on `db`. Each takes one input and the time, runs inside the transaction of
 * its batch, and decides before it writes: a refusal has written nothing.
 */
export function operations(db: Connection) {
  return {
    reserve: reserve(db),
    extend: extend(db),
    accrue: accrue(db),
    settle: settle(db),
    release: release(db),
    openSession: openSession(db),
    heartbeat: heartbeat(db),
    observeSessions: observeSessions(db),
    reap: reap(db),
    holdsOf: holdsOf(db),
    account: account(db),
    children: children(db),
    createChildren: createChildren(db),
    resetChild: resetChild(db),
    history: history(db),
    beginAttempt: beginAttempt(db),
    creditAttempt: creditAttempt(db),
    rejectAttempt: rejectAttempt(db),
    markSpentElsewhere: markSpentElsewhere(db),
    redemption: redemption(db),
    attemptsOnInputs: attemptsOnInputs(db),
    undecidedAttempts: undecidedAttempts(db),
    requestRefund: requestRefund(db),
    requestChange: requestChange(db),
    refund: refund(db),
    requestInvoice: requestInvoice(db),
    invoice: invoice(db),
    epoch: epoch(db),
    audit: audit(db),
  };
}

export type Operations = ReturnType<typeof operations>;

/** A batch of only these takes no write lock: it works beside another writer, and on a full disk. */
export const readOnly: ReadonlySet<keyof Operations> = new Set([
  'holdsOf',
  'account',
  'children',
  'history',
  'redemption',
  'attemptsOnInputs',
  'undecidedAttempts',
  'refund',
  'invoice',
  'epoch',
  'audit',
] as const);
