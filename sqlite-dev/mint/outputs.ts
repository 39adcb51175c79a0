import { createBlindSignature, createDLEQProof, pointFromHex } from '@cashu/cashu-ts';
import { MintError } from './errors.ts';
import type { Keyset } from './keysets.ts';
import type { BlindSignature, Output } from './messages.ts';
import type { Mint } from './mint.ts';

const maxOutputs = 1000;

/**
 * Checks that outputs could be signed, and adds them up.
 *
 * @param blank their amounts are still to be filled in (NUT-08)
 * @throws MintError
 */
export function verifyOutputs(
  mint: Mint,
  outputs: readonly Output[],
  blank = false,
): { unit: string | undefined; sum: bigint } {
  if (outputs.length > maxOutputs) throw new MintError('too_many_outputs', `at most ${maxOutputs}`);
  if (new Set(outputs.map((output) => output.B_)).size !== outputs.length)
    throw new MintError('duplicate_outputs');
  const units = new Set<string>();
  for (const output of outputs) {
    const keyset = mint.keysets.usable(output.id, mint.now());
    if (!keyset.active) throw new MintError('inactive_keyset', keyset.id);
    if (!blank && keyset.secretKeys[output.amount] === undefined) {
      throw new MintError('amount_out_of_range', `no key for ${output.amount}`);
    }
    units.add(keyset.unit);
  }
  if (units.size > 1) throw new MintError('several_units');
  for (const output of outputs) {
    if (mint.store.isPending(output.B_, mint.now())) throw new MintError('outputs_pending');
    if (mint.store.signature(output.B_, mint.now())) throw new MintError('already_signed');
    requirePoint(output.B_);
  }
  return { unit: [...units][0], sum: outputs.reduce((total, output) => total + BigInt(output.amount), 0n) };
}

/**
 * Signs outputs that were verified, for good: they can be restored from now on.
 * Call it in the transaction that takes what pays for them.
 */
export function signOutputs(mint: Mint, outputs: readonly Output[]): BlindSignature[] {
  return outputs.map((output) => {
    const keyset = mint.keysets.find(output.id)!;
    const signature = sign(output, keyset);
    mint.store.addSignature(output.B_, keyset.unit, signature);
    return signature;
  });
}

function sign(output: Output, keyset: Keyset): BlindSignature {
  const key = keyset.secretKeys[output.amount]!;
  const B_ = pointFromHex(output.B_);
  const { e, s } = createDLEQProof(B_, key);
  return {
    id: keyset.id,
    amount: output.amount,
    C_: createBlindSignature(B_, key, keyset.id).C_.toHex(true),
    dleq: { e: Buffer.from(e).toString('hex'), s: Buffer.from(s).toString('hex') },
  };
}

function requirePoint(hex: string): void {
  try {
    pointFromHex(hex);
  } catch {
    throw new MintError('invalid_request', 'B_ is not a point on the curve');
  }
}
