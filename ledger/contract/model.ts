import type { ExtendResult, ReleaseResult, ReserveResult, SettleResult } from '../hold.ts';
import type { Msat } from '../units.ts';

/** What a refund must at least be worth, as `newAccount` has it. */
const REFUND_MINIMUM = 2000n;

export interface ModelAccount {
  kind: 'key' | 'request';
  balance: Msat;
  reserved: Msat;
  spent: Msat;
  /** Held and spent with this very key, not by its children. */
  own: Msat;
  requests: number;
  used: boolean;
  /** Of a debited refund. */
  refund: Msat | null;
  parent: ModelAccount | null;
  limit: Msat | null;
}

export interface ModelHold {
  id: string;
  account: ModelAccount;
  session: ModelSession;
  amount: Msat;
  accrued: Msat;
  n: number;
  state: 'running' | 'charged' | 'released';
  reaped: boolean;
  late: boolean;
  charged: Msat;
  shortfall: Msat;
  refund: string | null;
}

export interface ModelSession {
  id: string;
  fenced: boolean;
}

export function modelAccount(over: Partial<ModelAccount> = {}): ModelAccount {
  return {
    kind: 'key',
    balance: 0n,
    reserved: 0n,
    spent: 0n,
    own: 0n,
    requests: 0,
    used: false,
    refund: null,
    parent: null,
    limit: null,
    ...over,
  };
}

/**
 * The rules of money.md with nothing else around them: no SQL, no batches, no time. An adapter that was asked the same
 * in the same order must have said the same.
 */
export function available(account: ModelAccount): Msat {
  const payer = account.parent ?? account;
  const ofPayer = payer.balance - payer.reserved;
  if (account.limit === null) return ofPayer;
  return least(ofPayer, account.limit - account.own);
}

/** Returns the hold when there is one now. */
export function reserve(
  account: ModelAccount,
  session: ModelSession,
  id: string,
  amount: Msat,
): [Partial<ReserveResult>, ModelHold | undefined] {
  const payer = account.parent ?? account;
  if (session.fenced) return [{ kind: 'refused', reason: 'fenced' }, undefined];
  if (account.used) return [{ kind: 'refused', reason: 'used' }, undefined];
  if (account.limit !== null && account.limit - account.own < amount) {
    return [{ kind: 'limit', available: available(account) }, undefined];
  }
  if (payer.balance - payer.reserved < amount) {
    return [{ kind: 'insufficient', available: available(account) }, undefined];
  }
  setAside(account, amount);
  account.used = account.kind === 'request';
  const hold: ModelHold = {
    id,
    account,
    session,
    amount,
    accrued: 0n,
    n: 0,
    state: 'running',
    reaped: false,
    late: false,
    charged: 0n,
    shortfall: 0n,
    refund: null,
  };
  return [{ kind: 'reserved', available: available(account) }, hold];
}

export function extend(hold: ModelHold, n: number, amount: Msat): Partial<ExtendResult> {
  if (hold.session.fenced) return { kind: 'refused', reason: 'fenced' };
  if (hold.state !== 'running') return { kind: 'refused', reason: 'unknown_hold' };
  const more = amount - hold.amount;
  if (n > hold.n && more > 0n) {
    if (available(hold.account) < more) return { kind: 'insufficient', available: available(hold.account) };
    setAside(hold.account, more);
    hold.amount = amount;
    hold.n = n;
  }
  return { kind: 'extended', available: available(hold.account) };
}

export function accrue(hold: ModelHold, accrued: Msat): 'accrued' | 'fenced' {
  if (hold.session.fenced) return 'fenced';
  if (hold.state === 'running' && accrued > hold.accrued) hold.accrued = least(accrued, hold.amount);
  return 'accrued';
}

export function settle(hold: ModelHold, cost: Msat): Partial<SettleResult> {
  if (hold.state === 'released') return { kind: 'unknown_hold' };
  if (hold.state === 'running') end(hold, cost);
  else if (hold.reaped && !hold.late) chargeLate(hold, cost);
  return {
    kind: 'settled',
    charged: hold.charged,
    shortfall: hold.shortfall,
    available: available(hold.account),
    late: hold.late,
    refund: hold.refund,
  };
}

export function release(hold: ModelHold): Partial<ReleaseResult> {
  if (hold.state === 'released') return { kind: 'tombstone' };
  if (hold.state === 'charged') return { kind: 'settled' };
  end(hold, null);
  return { kind: 'released', available: available(hold.account), refund: hold.refund };
}

/** Returns what was charged. */
export function reap(session: ModelSession, holds: readonly ModelHold[]): Msat {
  if (session.fenced) return 0n;
  session.fenced = true;
  let charged = 0n;
  for (const hold of holds.filter((hold) => hold.session === session && hold.state === 'running')) {
    end(hold, hold.accrued);
    hold.reaped = true;
    charged += hold.charged;
  }
  return charged;
}

/** Returns what the answer must be like. */
export function requestRefund(account: ModelAccount): object {
  if (account.refund !== null) return { kind: 'refund', refund: { amount: account.refund } };
  if (account.reserved > 0n) return { kind: 'running' };
  const amount = account.balance - (account.balance % 1000n);
  if (amount === 0n || amount < REFUND_MINIMUM)
    return { kind: account.balance === 0n ? 'nothing' : 'too_small' };
  account.balance -= amount;
  account.refund = amount;
  return { kind: 'refund', refund: { amount } };
}

export function requestChange(account: ModelAccount, running: boolean): object {
  if (running) return { kind: 'running' };
  if (!account.used) close(account);
  return account.refund === null
    ? { kind: 'nothing' }
    : { kind: 'refund', refund: { amount: account.refund } };
}

function setAside(account: ModelAccount, amount: Msat): void {
  account.reserved += amount;
  account.own += amount;
  if (account.parent !== null) account.parent.reserved += amount;
}

/** `cost` null: released. */
function end(hold: ModelHold, cost: Msat | null): void {
  const { account } = hold;
  const { charged, shortfall } = split(account, cost ?? 0n, hold.amount + available(account));
  setAside(account, -hold.amount);
  take(account, charged, cost === null ? 0 : 1);
  Object.assign(hold, { state: cost === null ? 'released' : 'charged', charged, shortfall });
  if (account.kind === 'request' && close(account)) hold.refund = hold.id;
}

function chargeLate(hold: ModelHold, cost: Msat): void {
  const { account } = hold;
  const { charged } = split(account, cost, hold.charged + available(account));
  const extra = charged > hold.charged ? charged - hold.charged : 0n;
  take(account, extra, 0);
  hold.late = true;
  hold.charged += extra;
  hold.shortfall = cost > hold.charged ? cost - hold.charged : 0n;
}

/** Whether something is given back. */
function close(account: ModelAccount): boolean {
  const rest = account.balance;
  account.used = true;
  account.balance = 0n;
  if (rest === 0n || rest < REFUND_MINIMUM) return false;
  account.refund = rest;
  return true;
}

function take(account: ModelAccount, charged: Msat, requests: number): void {
  const payer = account.parent ?? account;
  payer.balance -= charged;
  account.own += charged;
  for (const spender of new Set([account, payer])) {
    spender.spent += charged;
    spender.requests += requests;
  }
}

function split(account: ModelAccount, cost: Msat, room: Msat): { charged: Msat; shortfall: Msat } {
  const whole = account.kind === 'request' ? cost + ((1000n - (cost % 1000n)) % 1000n) : cost;
  const charged = least(whole, room);
  return { charged, shortfall: cost > charged ? cost - charged : 0n };
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
