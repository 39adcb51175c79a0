/**
 * What an operator may want to know about redemptions. Ids only: no token, proof or key is in any of them.
 * Alerts need a person: a mint contradicts itself, or numbers that must never repeat did.
 */
export type RedeemerEvent = { mint: string; attempt: string } /** msat. */ & (
  | { kind: 'credited' | 'credited_late'; alert: false; amount: bigint }
  | { kind: 'rejected'; alert: false; why: string }
  | { kind: 'in_doubt'; alert: false; why: string }
  | { kind: 'spent_elsewhere'; alert: false }
  /** Signatures exist for outputs whose inputs were never spent: an output was used before. */
  | { kind: 'outputs_reused'; alert: true }
  /** Part of the signatures, or signatures that don't hold. The attempt stays undecided. */
  | { kind: 'mint_contradicts_itself'; alert: true }
  /** A swap was answered with signatures that are not what was asked for. */
  | { kind: 'bad_signatures'; alert: true }
);

export type OnRedeemerEvent = (event: RedeemerEvent) => void;
