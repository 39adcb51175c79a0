/**
 * What redeeming needs of the ledger, which this room may not know. The ledger's own interface is structurally the same,
 * so a program passes its ledger in; a test holds the two together.
 */

/** Millisatoshi, never negative. */
export type Msat = bigint;
export type Unit = 'sat' | 'msat';

/** An account that comes to life with its first credit. */
interface NewAccount {
  keyHash: string;
  preview: string;
  expiresAt?: number | undefined | null;
  refundAddress?: string | undefined;
  /** Smallest amount (msat) the mint's fee lets out again. */
  refundMinimum: Msat;
  /** msat that the key may spend in each window. */
  limit?: Msat | undefined;
  limitReset?: 'daily' | 'weekly' | 'monthly' | undefined;
  /** Unix ms. */
  validUntil?: number | undefined;
}

export type RedemptionTarget =
  | { role: 'create'; account: NewAccount }
  | { role: 'topup'; account: string }
  | { role: 'request'; account: NewAccount; refundPubkey: string };

type RedemptionState = 'undecided' | 'credited' | 'rejected' | 'spent_elsewhere';

export interface StoredRedemption {
  tokenHash: string;
  state: RedemptionState;
  /** Null after a rejection. */
  role: 'create' | 'topup' | 'request' | null;
  account: string;
  /** Credited msat; 0 before. */
  credited: Msat;
}

export interface NewAttempt {
  attempt: string;
  tokenHash: string;
  target: RedemptionTarget;
  provider: string;
  session: string;
  mint: string;
  unit: Unit;
  gross: Msat;
  fee: Msat;
  inputYs: readonly string[];
  outputYs: readonly string[];
  outputs: string;
  maxExposure?: Msat | undefined;
}

type BeginResult =
  | { kind: 'begun' }
  | { kind: 'known'; redemption: StoredRedemption }
  | { kind: 'other_role' }
  | { kind: 'inputs_taken'; by: 'undecided' | 'credited' | 'spent_elsewhere' }
  | { kind: 'outputs_taken' }
  | { kind: 'fenced' }
  | { kind: 'exposure'; held: Msat }
  | { kind: 'account'; reason: 'unknown' | 'mint' | 'expired' | 'child' };

/** A proof that a swap gave us, locked to the wallet's key (NUT-11). */
export interface LockedProof {
  y: string;
  keyset: string;
  /** In the mint's unit. */
  amount: bigint;
  secret: string;
  c: string;
  /** NUT-12 proof as JSON, when the mint gave one. */
  dleq: string | null;
}

export type CreditResult =
  | { kind: 'credited'; account: string; amount: Msat }
  | { kind: 'already'; account: string; amount: Msat }
  | { kind: 'unknown_attempt' };

export interface StoredAttempt {
  id: string;
  tokenHash: string;
  session: string;
  /** Nobody is at work on it any more. */
  sessionDead: boolean;
  state: RedemptionState;
  mint: string;
  unit: Unit;
  gross: Msat;
  fee: Msat;
  inputYs: string[];
  outputs: string;
  /** Unix ms. */
  createdAt: number;
}

export interface RedemptionStore {
  beginAttempt(begin: NewAttempt): Promise<BeginResult>;
  /** Credits once, whatever state the redemption was in. */
  creditAttempt(credit: { attempt: string; proofs: readonly LockedProof[] }): Promise<CreditResult>;
  /** Frees the inputs and the role. No-op once decided otherwise. */
  rejectAttempt(attempt: string): Promise<void>;
  /** No-op once credited. */
  markSpentElsewhere(attempt: string): Promise<void>;
  redemption(tokenHash: string): Promise<StoredRedemption | undefined>;
  /** Every attempt that ever named one of these Ys as an input, whatever the token, oldest first. */
  attemptsOnInputs(ys: readonly string[]): Promise<StoredAttempt[]>;
  /** Latest attempts of undecided redemptions, oldest first. */
  undecidedAttempts(provider: string, limit: number): Promise<StoredAttempt[]>;
}
