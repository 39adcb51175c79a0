import type { IncomingProof } from './crypto-worker.ts';
import { lockedProofs } from './locked-proofs.ts';
import type { Mint } from './mint.ts';
import { MintError } from './mint-error.ts';
import type { Output } from './outputs.ts';
import type { RedemptionContext } from './redemption-context.ts';
import type { LockedProof } from './redemption-store.ts';

export type SwapResult =
  | { kind: 'swapped'; proofs: LockedProof[] }
  /** See {@link MintError}: only `not_sent` says that nothing happened. */
  | { kind: 'failed'; error: MintError };

/**
 * Sends inputs and outputs to the mint and checks all that comes back: one signature for each output, of its amount and
 * keyset, with a DLEQ proof that holds. Anything less leaves the inputs in doubt: they are probably spent.
 */
export async function swap(
  attempt: string,
  inputs: readonly IncomingProof[],
  outputs: readonly Output[],
  mint: Mint,
  { crypto, onEvent, signal }: RedemptionContext,
): Promise<SwapResult> {
  try {
    const signatures = await mint.swap(inputs, outputs, signal);
    if (signatures.length === outputs.length && signatures.every(({ dleq }) => dleq !== null)) {
      const signed = outputs.map((output, index) => ({ output, signature: signatures[index]! }));
      const proofs = await lockedProofs(signed, mint, crypto, signal);
      if (proofs !== undefined) return { kind: 'swapped', proofs };
    }
  } catch (error) {
    if (!(error instanceof MintError)) throw error;
    return { kind: 'failed', error };
  }
  onEvent({ kind: 'bad_signatures', alert: true, mint: mint.url, attempt });
  return {
    kind: 'failed',
    error: new MintError('unknown', 'The mint’s signatures are not what was asked for'),
  };
}
