import { getDecodedToken, type Proof, Wallet } from '@cashu/cashu-ts';

/** What is inside a token, and a wallet of its mint. */
export async function openToken(mint: string, token: string): Promise<{ wallet: Wallet; proofs: Proof[] }> {
  const wallet = new Wallet(mint, { unit: 'sat' });
  await wallet.loadMint();
  return { wallet, proofs: getDecodedToken(token, wallet.keyChain.getAllKeysetIds()).proofs };
}

/** Proofs as a token of version 3 (NUT-00), which the library itself writes no more. `change` is done to each. */
export function tokenV3(mint: string, proofs: readonly Proof[], change: object = {}): string {
  const plain = proofs.map(({ id, amount, secret, C }) => ({
    id,
    amount: Number(amount),
    secret,
    C,
    ...change,
  }));
  const json = JSON.stringify({ token: [{ mint, proofs: plain }], unit: 'sat' });
  return `cashuA${Buffer.from(json).toString('base64url')}`;
}
