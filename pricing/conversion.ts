import { PriceUnavailableError } from './errors.ts';
import { type Currency, PRICE_PLACES } from './model.ts';
import type { Rate } from './rate.ts';

const MSAT_PER_BTC_PLACES = 11;
const RATE_PLACES = 6;
const MSAT_PER_SAT_PLACES = 3;
const USD_SCALE = 10n ** BigInt(PRICE_PLACES - RATE_PLACES - MSAT_PER_BTC_PLACES);
const SAT_UNITS = 10n ** BigInt(PRICE_PLACES - MSAT_PER_SAT_PLACES);

/**
 * How many price units (10^-24 of `currency`) one msat is worth; exact. Sums of prices divided by it, rounded up once, are
 * what is charged.
 * @throws PriceUnavailableError for USD without a rate
 */
export function unitsPerMsat(currency: Currency, rate: Rate | undefined): bigint {
  if (currency === 'sat') return SAT_UNITS;
  if (rate === undefined) throw new PriceUnavailableError();
  return rate.usdMicroPerBtc * USD_SCALE;
}

/** What an amount of msat is worth, in 10^-24 USD. */
export function msatToUsd(msat: bigint, rate: Rate): bigint {
  return msat * unitsPerMsat('usd', rate);
}
