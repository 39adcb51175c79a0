import type { BlindSignature, CheckStateRequest, Output, RestoreRequest } from './messages.ts';
import type { Mint } from './mint.ts';

/** NUT-07. */
export function checkState(mint: Mint, { Ys }: CheckStateRequest) {
  return { states: Ys.map((Y) => ({ Y, state: mint.store.proofState(Y, mint.now()), witness: null })) };
}

/** NUT-09: what was signed of these outputs, in the order they were asked for. */
export function restore(mint: Mint, request: RestoreRequest) {
  const outputs: Output[] = [];
  const signatures: BlindSignature[] = [];
  for (const output of request.outputs) {
    const signature = mint.store.signature(output.B_, mint.now());
    if (signature === undefined) continue;
    outputs.push({ ...output, amount: signature.amount, id: signature.id });
    signatures.push(signature);
  }
  return { outputs, signatures };
}
