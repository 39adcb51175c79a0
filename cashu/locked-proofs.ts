import type { CryptoPool } from './crypto-pool.ts';
import type { Mint } from './mint.ts';
import type { BlindSignature } from './mint-messages.ts';
import type { Output } from './outputs.ts';
import type { LockedProof } from './redemption-store.ts';

export interface Signed {
  output: Output;
  signature: BlindSignature;
}

/**
 * Turns a mint's signatures into proofs, if every one is what was asked for: on this output, of its amount and keyset, and
 * made with the published key as far as a DLEQ proof shows it (NUT-12).
 * @returns undefined when one of them is not: nothing may be credited for them
 * @throws MintError when the keyset's keys can't be had
 */
export async function lockedProofs(
  signed: readonly Signed[],
  mint: Mint,
  crypto: CryptoPool,
  signal: AbortSignal,
): Promise<LockedProof[] | undefined> {
  const asked = signed.every(
    ({ output, signature }) => signature.amount === output.amount && signature.keyset === output.keyset,
  );
  if (!asked) return undefined;
  const keysets = [...new Set(signed.map(({ output }) => output.keyset))];
  const keys = new Map(
    await Promise.all(keysets.map(async (id) => [id, await mint.keys(id, signal)] as const)),
  );
  const unblinded = await crypto.unblind(
    signed.map(({ output, signature }) => ({
      secret: output.secret,
      r: output.r,
      b: output.b,
      c: signature.c,
      dleq: signature.dleq,
      key: keys.get(output.keyset)?.[output.amount.toString()] ?? '',
    })),
  );
  if (!unblinded.ok) return undefined;
  return signed.map(({ output }, index) => ({
    y: output.y,
    keyset: output.keyset,
    amount: output.amount,
    secret: output.secret,
    ...unblinded.proofs[index]!,
  }));
}
