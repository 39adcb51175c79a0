import {
  Amount,
  getP2PKSigFlag,
  hashToCurve,
  isP2PKSpendAuthorised,
  pointFromHex,
  type Proof as SpentProof,
  verifyUnblindedSignature,
} from '@cashu/cashu-ts';
import { MintError } from './errors.ts';
import type { Keyset } from './keysets.ts';
import type { Output, Proof } from './messages.ts';
import type { Mint } from './mint.ts';

const maxInputs = 1000;

/** Proofs that were found good. */
export interface Inputs {
  unit: string;
  proofs: { y: string; amount: number }[];
  sum: bigint;
  /** NUT-02 input fee. */
  fee: bigint;
}

/**
 * What can be said of inputs before any curve arithmetic: number, duplicates, keysets, unit, sum and fee.
 */
function sumInputs(mint: Mint, proofs: readonly Proof[]): { unit: string; sum: bigint; fee: bigint } {
  if (proofs.length > maxInputs) throw new MintError('too_many_inputs', `at most ${maxInputs}`);
  if (new Set(proofs.map((proof) => proof.secret)).size !== proofs.length)
    throw new MintError('duplicate_inputs');
  const keysets = proofs.map((proof) => mint.keysets.usable(proof.id, mint.now()));
  const units = new Set(keysets.map((keyset) => keyset.unit));
  if (units.size > 1) throw new MintError('several_units');
  const sum = proofs.reduce((total, proof) => total + BigInt(proof.amount), 0n);
  const ppk = keysets.reduce((total, keyset) => total + BigInt(keyset.inputFeePpk), 0n);
  return { unit: keysets[0]!.unit, sum, fee: (ppk + 999n) / 1000n };
}

/**
 * Checks that inputs may be spent: unspent, signed by us, and unlocked (NUT-11).
 *
 * @param outputs and `quote` are what a SIG_ALL signature covers
 * @throws MintError
 */
export function verifyInputs(
  mint: Mint,
  proofs: readonly Proof[],
  outputs: readonly Output[],
  quote = '',
): Inputs {
  const totals = sumInputs(mint, proofs);
  const ys = proofs.map((proof) => hashToCurve(Buffer.from(proof.secret)).toHex(true));
  for (const y of ys) {
    const state = mint.store.proofState(y, mint.now());
    if (state === 'SPENT') throw new MintError('already_spent');
    if (state === 'PENDING') throw new MintError('proofs_pending');
  }
  for (const proof of proofs) {
    if (!isOurs(proof, mint.keysets.usable(proof.id, mint.now()))) throw new MintError('proof_invalid');
  }
  verifyLocks(proofs, outputs, quote);
  return { ...totals, proofs: proofs.map((proof, index) => ({ y: ys[index]!, amount: proof.amount })) };
}

function isOurs(proof: Proof, keyset: Keyset): boolean {
  const key = keyset.secretKeys[proof.amount];
  if (key === undefined) return false;
  try {
    const C = pointFromHex(proof.C);
    return verifyUnblindedSignature({ C, secret: Buffer.from(proof.secret), id: proof.id }, key);
  } catch {
    return false; // C is no point on the curve
  }
}

/** NUT-11 on all inputs. With SIG_ALL the first input's witness speaks for all, which then must share their conditions. */
function verifyLocks(proofs: readonly Proof[], outputs: readonly Output[], quote: string): void {
  const locked = proofs.map(isLocked);
  if (!locked.includes(true)) return;
  try {
    if (proofs.some((proof, index) => locked[index] && getP2PKSigFlag(proof.secret) === 'SIG_ALL')) {
      if (new Set(proofs.map(conditions)).size !== 1)
        throw new MintError('proof_invalid', 'mixed SIG_ALL inputs');
      requireSignature(proofs[0]!, sigAllMessage(proofs, outputs, quote));
    } else {
      proofs.forEach((proof, index) => {
        if (locked[index]) requireSignature(proof, proof.secret);
      });
    }
  } catch (error) {
    if (error instanceof MintError) throw error;
    throw new MintError('proof_invalid', 'malformed spending condition');
  }
}

function requireSignature(proof: Proof, message: string): void {
  const { witness, amount, ...rest } = proof;
  const spent: SpentProof = { ...rest, amount: Amount.from(amount), ...(witness == null ? {} : { witness }) };
  if (!isP2PKSpendAuthorised(spent, undefined, message))
    throw new MintError('proof_invalid', 'missing signature');
}

/** NUT-10: any other kind than P2PK, which is all we announce, is a plain secret. */
function isLocked(proof: Proof): boolean {
  try {
    const secret: unknown = JSON.parse(proof.secret);
    return Array.isArray(secret) && secret[0] === 'P2PK';
  } catch {
    return false;
  }
}

function conditions(proof: Proof): string {
  const [kind, { data, tags }] = JSON.parse(proof.secret);
  return JSON.stringify([kind, data, tags ?? []]);
}

function sigAllMessage(proofs: readonly Proof[], outputs: readonly Output[], quote: string): string {
  const ins = proofs.map((proof) => proof.secret + proof.C);
  const outs = outputs.map((output) => `${output.amount}${output.B_}`);
  return [...ins, ...outs, quote].join('');
}
