import { MintError } from './errors.ts';
import { verifyInputs } from './inputs.ts';
import type { BlindSignature, SwapRequest } from './messages.ts';
import type { Mint, Trouble } from './mint.ts';
import { signOutputs, verifyOutputs } from './outputs.ts';

/** NUT-03: inputs become outputs, less the input fee. */
export function swap(mint: Mint, request: SwapRequest, trouble: Trouble): { signatures: BlindSignature[] } {
  const inputs = verifyInputs(mint, request.inputs, request.outputs);
  const { unit, sum, fee } = inputs;
  const outputs = verifyOutputs(mint, request.outputs);
  if (outputs.unit !== unit) throw new MintError('different_units');
  if (outputs.sum !== sum - fee) throw new MintError('unbalanced', `${sum} - ${fee} (fee) ≠ ${outputs.sum}`);
  return mint.store.transaction(() => {
    if (trouble.pendingFor !== undefined) {
      const until = mint.now() + trouble.pendingFor;
      for (const { y } of inputs.proofs) mint.store.markPending(y, until);
      for (const { B_ } of request.outputs) mint.store.markPending(B_, until);
      if (trouble.outcome === 'failed') return { signatures: [] };
    }
    for (const { y, amount } of inputs.proofs) mint.store.spend(y, unit, amount);
    mint.store.addFlow(unit, 'fees', fee);
    return { signatures: signOutputs(mint, request.outputs) };
  });
}
