import { setTimeout as sleep } from 'node:timers/promises';
import { getEncodedToken, Wallet } from '@cashu/cashu-ts';

/** ms a mint gets to pay its own invoice in. Real mints never do. */
const patience = 5000;

/**
 * A fresh V4 token from a mint that pays its own invoices.
 *
 * @param amount sats
 * @throws Error that says how to bring a token when the mint wants to be paid, or is not there
 */
export async function mintToken(mint: string, amount: number): Promise<string> {
  try {
    const wallet = new Wallet(mint, { unit: 'sat' });
    await wallet.loadMint();
    const quote = await wallet.createMintQuoteBolt11(amount);
    await paid(wallet, quote.quote);
    const proofs = await wallet.mintProofsBolt11(amount, quote);
    return getEncodedToken({ mint, proofs, unit: 'sat' }, { removeDleq: true });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`No token from ${mint} (${reason}). Bring one from a wallet that holds money there.`, {
      cause,
    });
  }
}

async function paid(wallet: Wallet, quote: string): Promise<void> {
  for (let waited = 0; waited < patience; waited += 200) {
    if ((await wallet.checkMintQuoteBolt11(quote)).state === 'PAID') return;
    await sleep(200);
  }
  throw new Error('its invoice is not paid');
}
