/** Millisatoshi. Every amount in the ledger, in either direction, is a non-negative bigint of these unless said otherwise. */
export type Msat = bigint;

/** SHA-256 of an API key, lower-case hex. The key itself is stored nowhere. */
export type KeyHash = string;

/** UUIDv7, chosen by whoever opens the hold, so that a lost answer can be followed up by its id. */
export type HoldId = string;

/** UUIDv7 of one running process. */
export type SessionId = string;

/** Who earns: `cluster-id/namespace/name` in a cluster, a plain name elsewhere. */
export type ProviderId = string;

/** The unit a mint keeps an account's money in. The ledger counts msat either way; sats move in whole ones only. */
export type Unit = 'sat' | 'msat';

/** Unix time in ms. */
export type Millis = number;
