export type { Account, KeyLimits } from './account.ts';
export type { AuditReport, Book, Violation } from './audit.ts';
export { systemClock } from './clock.ts';
export { LedgerOpenError, LedgerUnavailableError } from './errors.ts';
export type {
  Accrual,
  ChargeMemo,
  ExtendResult,
  ReleaseResult,
  ReserveResult,
  SettleResult,
} from './hold.ts';
export type { Ledger } from './ledger.ts';
export { LiveSession } from './live-session.ts';
export { openLedger } from './open-ledger.ts';
export { runReaper } from './reaper.ts';
export type { Refund } from './refund.ts';
export type { Session } from './session.ts';
export type { HoldId, Msat } from './units.ts';
