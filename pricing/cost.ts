import { msatToUsd, unitsPerMsat } from './conversion.ts';
import { ceilDivide, formatDecimal } from './decimal.ts';
import { type Model, PRICE_PLACES } from './model.ts';
import type { Rate } from './rate.ts';
import { count, type Usage } from './usage.ts';

/** What a request is charged. The parts are msat, none is negative, and they add up to `totalMsat`. */
export interface Cost {
  totalMsat: bigint;
  /** Per request, images made, audio and web searches. */
  baseMsat: bigint;
  inputMsat: bigint;
  cacheReadMsat: bigint;
  cacheWriteMsat: bigint;
  outputMsat: bigint;
  /** The exact price in USD, before it was rounded up to msat; `undefined` for a sat price while no rate is known. */
  totalUsd: string | undefined;
}

/**
 * What `usage` costs: Σ quantity × price, rounded up to msat once, at the end.
 * Usage that was counted here instead of reported by the upstream is priced the same.
 *
 * @param rate the one the request was admitted with, so that a rate that moves meanwhile never breaks its hold
 * @throws PriceUnavailableError for a USD-priced model without a rate
 */
export function costOf(model: Model, usage: Usage, rate: Rate | undefined): Cost {
  const perMsat = unitsPerMsat(model.currency, rate);
  const { prices } = model;
  let units = 0n;
  let charged = 0n;
  // Each part is what it adds to the rounded-up running total: no part is off by a whole msat, and nothing is left over.
  const part = (price: bigint): bigint => {
    units += price;
    const before = charged;
    charged = ceilDivide(units, perMsat);
    return charged - before;
  };

  const baseMsat = part(
    prices.request +
      count(usage.images) * prices.image +
      count(usage.audioSeconds) * prices.audioSecond +
      count(usage.webSearches) * prices.webSearch,
  );
  const inputMsat = part(count(usage.inputTokens) * prices.prompt);
  const cacheReadMsat = part(count(usage.cacheReadTokens) * prices.cacheRead);
  const cacheWriteMsat = part(count(usage.cacheWriteTokens) * prices.cacheWrite);
  const outputMsat = part(count(usage.outputTokens) * prices.completion);
  return {
    totalMsat: charged,
    baseMsat,
    inputMsat,
    cacheReadMsat,
    cacheWriteMsat,
    outputMsat,
    totalUsd: usdOf(model, units, charged, rate),
  };
}

function usdOf(model: Model, units: bigint, msat: bigint, rate: Rate | undefined): string | undefined {
  if (model.currency === 'usd') return formatDecimal(units, PRICE_PLACES);
  return rate === undefined ? undefined : formatDecimal(msatToUsd(msat, rate), PRICE_PLACES);
}
