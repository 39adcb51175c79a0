export type {
  Account,
  AccountKind,
  CreateChildren,
  CreateChildrenResult,
  LimitReset,
  NewAccount,
  NewChild,
  Transaction,
} from './account.ts';
export type { AuditReport, Book, Violation } from './audit.ts';
export { systemClock } from './clock.ts';
export { LedgerOpenError, LedgerUnavailableError } from './errors.ts';
export type {
  Accrual,
  ChargeMemo,
  Extend,
  ExtendResult,
  ReleaseResult,
  Reserve,
  ReserveRefusal,
  ReserveResult,
  Settle,
  SettleResult,
} from './hold.ts';
export type { Invoice, InvoiceState, RequestInvoice, RequestInvoiceResult } from './invoice.ts';
export type { Ledger } from './ledger.ts';
export { openLedger } from './open-ledger.ts';
export type {
  Attempt,
  BeginAttempt,
  BeginAttemptResult,
  CreditAttempt,
  CreditAttemptResult,
  LockedProof,
  Redemption,
  RedemptionRole,
  RedemptionState,
} from './redemption.ts';
export type {
  Refund,
  RefundState,
  RequestChangeResult,
  RequestRefund,
  RequestRefundResult,
} from './refund.ts';
export type { ReapResult, Session, SessionBeat } from './session.ts';
export type { HoldId, KeyHash, Millis, Msat, ProviderId, SessionId, Unit } from './units.ts';
