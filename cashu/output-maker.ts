import type { CryptoPool } from './crypto-pool.ts';
import { deriveOutputSecret, lockedSecret, type Output, randomOutputSecret, splitAmount } from './outputs.ts';

/** A keyset of powers of two needs at most 64; a mint with only small denominations is not worth its signatures. */
const maxOutputs = 256;

export interface OutputMakerOptions {
  crypto: CryptoPool;
  /** The wallet's public key, compressed hex. */
  lockKey: string;
  viewKey: Uint8Array | undefined;
  random: (bytes: number) => Uint8Array;
}

/** Makes outputs that only the wallet can spend, each from a number that was never used before. */
export class OutputMaker {
  readonly #options: OutputMakerOptions;
  /** Goes on over session numbers, so that a pair of both is new in any case. */
  #counter = 0n;

  constructor(options: OutputMakerOptions) {
    this.#options = options;
  }

  /**
   * @param amount in the mint's unit
   * @param keyset to be signed with, its public keys by amount
   * @returns undefined when the keyset's denominations can't make the amount
   */
  async make(
    amount: bigint,
    keyset: { id: string; keys: Record<string, string> },
    session: bigint,
  ): Promise<Output[] | undefined> {
    const { crypto, lockKey } = this.#options;
    const amounts = splitAmount(amount, Object.keys(keyset.keys).map(BigInt), maxOutputs);
    if (amounts === undefined) return undefined;
    const secrets = amounts.map(() => {
      const { nonce, r } = this.#next(session);
      return { secret: lockedSecret(lockKey, nonce), r };
    });
    const blinded = await crypto.blind(secrets);
    return amounts.map((value, index) => ({
      amount: value,
      keyset: keyset.id,
      ...secrets[index]!,
      ...blinded[index]!,
    }));
  }

  #next(session: bigint): { nonce: string; r: string } {
    const { viewKey, random } = this.#options;
    return viewKey === undefined
      ? randomOutputSecret(random)
      : deriveOutputSecret(viewKey, session, this.#counter++);
  }
}
