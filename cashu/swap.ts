import type { IncomingProof } from './crypto-worker.ts';
import { lockedProofs } from './locked-proofs.ts';
import type { Mint } from './mint.ts';
import { MintError } from './mint-error.ts';
import type { BlindSignature } from './mint-messages.ts';
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
  context: RedemptionContext,
): Promise<SwapResult> {
  const { onEvent, signal } = context;
  let signatures: BlindSignature[];
  try {
    signatures = await mint.swap(inputs, outputs, signal);
  } catch (error) {
    if (error instanceof MintError) return { kind: 'failed', error };
    throw error;
  }
  let proofs: LockedProof[] | undefined;
  try {
    proofs = await check(signatures, outputs, mint, context);
  } catch (cause) {
    // Whatever went wrong here, the swap itself was made: no failure of its may say “not sent” any more.
    return {
      kind: 'failed',
      error: new MintError('unknown', 'The signatures could not be checked', { cause }),
    };
  }
  if (proofs !== undefined) return { kind: 'swapped', proofs };
  onEvent({ kind: 'bad_signatures', alert: true, mint: mint.url, attempt });
  return {
    kind: 'failed',
    error: new MintError('unknown', 'The mint’s signatures are not what was asked for'),
  };
}

/** @returns undefined when they are not what was asked for */
async function check(
  signatures: readonly BlindSignature[],
  outputs: readonly Output[],
  mint: Mint,
  { crypto, signal }: RedemptionContext,
): Promise<LockedProof[] | undefined> {
  if (signatures.length !== outputs.length || signatures.some(({ dleq }) => dleq === null)) return undefined;
  const signed = outputs.map((output, index) => ({ output, signature: signatures[index]! }));
  return await lockedProofs(signed, mint, crypto, signal);
}
