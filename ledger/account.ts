import type { KeyHash, Millis, Msat, ProviderId, Unit } from './units.ts';

/**
 * What an account is for.
 * - `key`: a prepaid API key.
 * - `request`: the money of one `X-Cashu` request: one reserve, then its rest becomes a refund.
 * - `house`: credit issued by the operator to an internal team; its unit of account never leaves the ledger.
 */
export type AccountKind = 'key' | 'request' | 'house';

/** How often a key's limit starts again. */
export type LimitReset = 'daily' | 'weekly' | 'monthly';

export interface Account {
  keyHash: KeyHash;
  kind: AccountKind;
  /** First 8 characters of the key, for people. */
  preview: string;
  /** What admission would find: balance − reserved, less what only another provider has claimed so far; also within its own limit. */
  available: Msat;
  /** A child has no money of its own: its balance is `available + reserved`. */
  balance: Msat;
  /** Σ of the running holds it pays for, its children's too. A child's: of its own. */
  reserved: Msat;
  spent: Msat;
  requests: number;
  /** Mint and unit that funded it first; null for house credit and children of it. */
  mint: string | null;
  unit: Unit | null;
  createdAt: Millis;
  expiresAt: Millis | null;
  refundAddress: string | null;
  /** Set for a child: whose money it spends. */
  parent: KeyHash | null;
  limit: Msat | null;
  limitReset: LimitReset | null;
  /** From then on the key is refused, and so are its children. */
  validUntil: Millis | null;
}

/**
 * How far a key goes with the money that there is. A limit is the key's own: it counts what is held and spent with that
 * key itself, and what making children costs. What its children spend is only within their limits, and counts for nothing here.
 */
export interface KeyLimits {
  /** msat in each window. */
  limit?: Msat | undefined;
  /** Without it the limit never starts again. */
  limitReset?: LimitReset | undefined;
  validUntil?: Millis | undefined;
}

/** An account that comes to life with its first credit. */
export interface NewAccount extends KeyLimits {
  keyHash: KeyHash;
  preview: string;
  expiresAt?: Millis | undefined;
  refundAddress?: string | undefined;
  /** Smallest amount (msat) the mint's fee lets out again; a rest below it stays with the provider. */
  refundMinimum: Msat;
}

export interface NewChild extends KeyLimits {
  keyHash: KeyHash;
  preview: string;
}

export interface CreateChildren {
  parent: KeyHash;
  provider: ProviderId;
  /** As in {@link Reserve}. */
  mints: readonly string[];
  children: readonly NewChild[];
  /** Charged to the parent and earned by `provider`, for all children together. */
  cost: Msat;
  /** UUIDv7 of the charge. */
  reference: string;
}

export type CreateChildrenResult =
  | { kind: 'created'; parentAvailable: Msat }
  | { kind: 'refused'; reason: 'unknown_account' | 'child' | 'expired' | 'mint' }
  /** `limit`: the parent's own limit, not its money, is what is missing. */
  | { kind: 'refused'; reason: 'insufficient' | 'limit'; available: Msat };

/** One line of an account's history, newest first. Amounts in msat, always positive. */
export interface Transaction {
  id: string;
  type: 'in' | 'out';
  source: 'cashu' | 'lightning' | 'refund' | 'x-cashu' | 'house';
  amount: Msat;
  unit: Unit | null;
  mint: string | null;
  createdAt: Millis;
  /** A refund whose token its owner has fetched. */
  collected: boolean;
  /** A refund taken back after its time. */
  swept: boolean;
}
