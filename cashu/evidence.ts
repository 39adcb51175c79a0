import type { CryptoPool } from './crypto-pool.ts';
import { lockedProofs } from './locked-proofs.ts';
import type { Mint } from './mint.ts';
import type { BlindSignature, ProofState } from './mint-messages.ts';
import { deserializeOutputs, type Output } from './outputs.ts';
import type { LockedProof, StoredAttempt } from './redemption-store.ts';
import type { InputsState, Sighting } from './verdict.ts';

/** The most that Nutshell and cdk-mintd take in one array. */
const batch = 500;

/** What the mint says about every attempt that ever named one of the inputs in question. */
export interface Evidence {
  /** Of the inputs in question. */
  inputs: InputsState;
  sightings: Sighting[];
  /** Proofs by attempt, of those whose signatures are all there. */
  proofs: ReadonlyMap<string, LockedProof[]>;
}

/**
 * Asks the mint what became of `attempts`. Signatures first, states second: a swap that commits in between then looks like
 * “spent, nothing restored”, which is looked at again, and never like “restored, yet unspent”, which would be an alert.
 * @throws MintError
 */
export async function gatherEvidence(
  attempts: readonly StoredAttempt[],
  inputYs: readonly string[],
  mint: Mint,
  crypto: CryptoPool,
  signal: AbortSignal,
): Promise<Evidence> {
  const outputs = new Map(attempts.map((attempt) => [attempt.id, deserializeOutputs(attempt.outputs)]));
  const all = [...outputs.values()].flat();
  const restored = new Map<string, BlindSignature>();
  for (const part of batches(all)) {
    for (const [b, signature] of await mint.restore(part, signal)) restored.set(b, signature);
  }
  const ours = new Set(all.map(({ b }) => b));
  const foreign = [...restored.keys()].some((b) => !ours.has(b));

  const ys = [...new Set([...inputYs, ...attempts.flatMap((attempt) => attempt.inputYs)])];
  const states = new Map<string, ProofState>();
  for (const part of batches(ys)) {
    const answers = await mint.states(part, signal);
    for (const [index, y] of part.entries()) states.set(y, answers[index]!);
  }

  const proofs = new Map<string, LockedProof[]>();
  const sightings: Sighting[] = [];
  for (const attempt of attempts) {
    const expected = outputs.get(attempt.id)!;
    const found = expected.filter(({ b }) => restored.has(b));
    let signatures: Sighting['signatures'] = found.length === 0 && !foreign ? 'none' : 'some';
    if (found.length === expected.length && !foreign) {
      const locked = await lockedProofs(signed(found, restored), mint, crypto, signal);
      if (locked !== undefined) {
        signatures = 'all';
        proofs.set(attempt.id, locked);
      }
    }
    sightings.push({ attempt, signatures, inputs: summarize(attempt.inputYs, states) });
  }
  return { inputs: summarize(inputYs, states), sightings, proofs };
}

function signed(outputs: readonly Output[], restored: ReadonlyMap<string, BlindSignature>) {
  return outputs.map((output) => ({ output, signature: restored.get(output.b)! }));
}

function summarize(ys: readonly string[], states: ReadonlyMap<string, ProofState>): InputsState {
  const seen = new Set(ys.map((y) => states.get(y)));
  if (seen.has('PENDING')) return 'pending';
  if (seen.size > 1) return 'mixed';
  return seen.has('SPENT') ? 'spent' : 'unspent';
}

function batches<T>(items: readonly T[]): T[][] {
  const parts: T[][] = [];
  for (let at = 0; at < items.length; at += batch) parts.push(items.slice(at, at + batch));
  return parts;
}
