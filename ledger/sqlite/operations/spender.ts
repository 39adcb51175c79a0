import type { AccountKind, LimitReset } from '../../account.ts';
import { windowStart } from '../../limit-window.ts';
import type { KeyHash, Millis, Msat, Unit } from '../../units.ts';

/** Who asks and whose money it is: the same account, or a child key and its parent. */
export interface Spender {
  account: KeyHash;
  kind: AccountKind;
  payer: KeyHash;
  mint: string | null;
  unit: Unit | null;
  /** The payer's. */
  balance: Msat;
  payer_reserved: Msat;
  /** The payer's money that only other providers have claimed so far. */
  elsewhere: Msat;
  /** The payer's. */
  expires_at: bigint | null;
  payer_valid_until: bigint | null;
  /** The asking key's own, as all that follows: what its children hold is not in it. */
  own_reserved: Msat;
  used: bigint;
  parent: KeyHash | null;
  balance_limit: Msat | null;
  limit_reset: LimitReset | null;
  window_start: bigint;
  window_spent: Msat;
  valid_until: bigint | null;
}

export type SpentWindow = Pick<Spender, 'window_start' | 'window_spent'>;

/** To be selected from {@link spenderTables}; binds `:provider`. */
export const spenderColumns = `
  a.key_hash as account, a.kind, p.key_hash as payer, a.mint, a.unit, p.balance, p.reserved as payer_reserved,
  coalesce((select sum(u.amount) from unconfirmed u where u.account = p.key_hash and u.provider <> :provider), 0) as elsewhere,
  p.expires_at, p.valid_until as payer_valid_until, a.own_reserved, a.used, a.parent, a.balance_limit, a.limit_reset, a.window_start, a.window_spent, a.valid_until`;

/**
 * Here and in every other join a column is compared to `+:name`, not `:name`. This build of SQLite has STAT4, and with
 * it a join is planned again each time such a parameter is bound, which takes ten times as long as the query. The plus
 * hides the parameter from the planner, and the index is used all the same.
 */
export const spenderTables = 'account a join account p on p.key_hash = coalesce(a.parent, a.key_hash)';

/** What its payer's balance leaves. */
export function payerAvailable({ balance, payer_reserved, elsewhere }: Spender): Msat {
  return atLeastZero(balance - payer_reserved - elsewhere);
}

/** What the key's own limit leaves: spent in this window and running holds count. */
export function limitAvailable(spender: Spender, now: Millis): Msat | null {
  if (spender.balance_limit === null) return null;
  return atLeastZero(spender.balance_limit - spentInWindow(spender, now) - spender.own_reserved);
}

/** The one number that admission, the balance endpoint and settling read. */
export function available(spender: Spender, now: Millis): Msat {
  const ofPayer = payerAvailable(spender);
  const ofLimit = limitAvailable(spender, now);
  return ofLimit === null || ofPayer < ofLimit ? ofPayer : ofLimit;
}

/** A window that has passed counts nothing; it is written back with the next charge. */
function spentInWindow({ limit_reset, window_start, window_spent }: Spender, now: Millis): Msat {
  return windowStart(limit_reset, now) > window_start ? 0n : window_spent;
}

/** A window with what was just charged in it, to be written back. */
export function chargedWindow(spender: Spender, charged: Msat, now: Millis): SpentWindow {
  return {
    window_start: BigInt(windowStart(spender.limit_reset, now)),
    window_spent: spentInWindow(spender, now) + charged,
  };
}

/** A child stops with its parent: else a key whose time is up could go on under another name. */
export function isExpired(
  {
    expires_at,
    valid_until,
    payer_valid_until = null,
  }: Pick<Spender, 'expires_at' | 'valid_until'> & Partial<Pick<Spender, 'payer_valid_until'>>,
  now: Millis,
): boolean {
  return [expires_at, valid_until, payer_valid_until].some((end) => end !== null && end <= now);
}

function atLeastZero(amount: bigint): bigint {
  return amount < 0n ? 0n : amount;
}
