import type { StoredAttempt } from './redemption-store.ts';

/** NUT-07 states of a set of proofs. A swap takes all of its inputs or none, so `mixed` inputs were not spent by one of ours. */
export type InputsState = 'unspent' | 'pending' | 'spent' | 'mixed';

/** What the mint says about one attempt. */
export interface Sighting {
  attempt: StoredAttempt;
  /** Restored signatures (NUT-09) on its outputs. `some` also when they are not what was asked for. */
  signatures: 'none' | 'some' | 'all';
  /** Of its own inputs. */
  inputs: InputsState;
}

/** What may be done about inputs whose swap is in doubt. */
export type Verdict =
  /** This attempt went through: all signatures are there and all of its inputs are spent. */
  | { kind: 'credit'; attempt: StoredAttempt }
  /** The mint contradicts itself. A person has to look; nothing is decided. */
  | { kind: 'contradiction'; attempt: StoredAttempt }
  /** The mint is still at it. */
  | { kind: 'pending' }
  /** Nothing was taken. `reused`: attempts some of whose outputs the mint had signed before: never to be sent again. */
  | { kind: 'unspent'; reused: StoredAttempt[] }
  /** Some inputs are spent and some are not: no swap of all of them can have been, or ever be, made. */
  | { kind: 'partly_spent' }
  /** Spent, and we have nothing for it. Only final when seen twice: mints commit late. */
  | { kind: 'spent' };

/**
 * Decides by proof states and restored signatures alone. Error codes have no say: the same mistake is 11000 at one mint,
 * 11005 at another, and “already spent” is also what our own first try looks like to its replay.
 * @param inputs state of the inputs in question
 * @param sightings every attempt that ever named one of them, whatever the token
 */
export function judge(inputs: InputsState, sightings: readonly Sighting[]): Verdict {
  const through = sightings.find((seen) => seen.signatures === 'all' && seen.inputs === 'spent');
  if (through !== undefined) return { kind: 'credit', attempt: through.attempt };
  if (inputs === 'pending' || sightings.some((seen) => seen.inputs === 'pending')) return { kind: 'pending' };
  const odd = sightings.find((seen) => seen.signatures !== 'none' && seen.inputs !== 'unspent');
  if (odd !== undefined) return { kind: 'contradiction', attempt: odd.attempt };
  if (inputs === 'mixed') return { kind: 'partly_spent' };
  if (inputs === 'spent') return { kind: 'spent' };
  const reused = sightings.filter((seen) => seen.signatures !== 'none').map(({ attempt }) => attempt);
  return { kind: 'unspent', reused };
}
