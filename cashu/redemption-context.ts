import type { CryptoPool } from './crypto-pool.ts';
import { CashuError } from './errors.ts';
import type { OnRedeemerEvent } from './events.ts';
import type { MintError } from './mint-error.ts';
import type { OutputMaker } from './output-maker.ts';
import type { Msat, RedemptionStore } from './redemption-store.ts';

/** Seconds after which a client may ask again about a swap in doubt. */
const retryInDoubt = 5;

/** What all redemptions of a process share. */
export interface RedemptionContext {
  store: RedemptionStore;
  crypto: CryptoPool;
  outputs: OutputMaker;
  provider: string;
  /** The process's session as of now: a fenced one is replaced. */
  session: () => { id: string; number: bigint };
  maxExposure: Msat | undefined;
  onEvent: OnRedeemerEvent;
  /** Is a redemption of this token under way in this process? */
  busy: (tokenHash: string) => boolean;
  /** Unix ms. */
  clock: () => number;
  /** Ends with the process. A client's own signal never ends a redemption: money under way is not left alone. */
  signal: AbortSignal;
}

/** For calls made before anything was sent that could spend the token. */
export function beforeSwap(error: MintError): CashuError {
  const { retryAfter } = error;
  const limited = error.failure === 'rate_limited' || retryAfter !== undefined;
  return new CashuError(limited ? 'cashu_mint_rate_limited' : 'cashu_mint_unreachable', {
    retryAfter: retryAfter ?? retryInDoubt,
    cause: error,
  });
}

/** The attempt stays undecided: only the mint's word moves it on. */
export function inDoubt(error?: MintError): CashuError {
  return new CashuError('cashu_redemption_pending', {
    retryAfter: error?.retryAfter ?? retryInDoubt,
    cause: error,
  });
}
