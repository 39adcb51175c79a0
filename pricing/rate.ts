import { parseDecimal } from './decimal.ts';
import { DecimalError } from './errors.ts';

/** The price of one bitcoin, as everything that is charged by it sees it. */
export interface Rate {
  /** Millionths of a USD per BTC, more than 0. */
  usdMicroPerBtc: bigint;
  /** Names this very price in a hold and its journal entry, so that a charge can be checked later. */
  version: string;
}

/**
 * Where the rate comes from. `current()` is `undefined` when there is none that money may be taken by (never fetched, or
 * older than 30 min): USD-priced models are unavailable then, sat-priced ones go on. What a rate that is merely old
 * (5 min) costs extra is in the figure already.
 */
export interface RateSource {
  current(): Rate | undefined;
}

/**
 * A rate that never changes.
 * @param usdPerBtc decimal, such as `97250.15`, at most 6 places
 * @throws DecimalError when it is no such decimal, or 0
 */
export function staticRate(usdPerBtc: string): RateSource {
  const usdMicroPerBtc = parseDecimal(usdPerBtc, 6);
  if (usdMicroPerBtc === 0n) throw new DecimalError('a bitcoin is worth more than 0 USD');
  const rate: Rate = { usdMicroPerBtc, version: `static:${usdPerBtc}` };
  return { current: () => rate };
}
