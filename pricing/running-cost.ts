import { unitsPerMsat } from './conversion.ts';
import { ceilDivide } from './decimal.ts';
import type { Model } from './model.ts';
import type { Rate } from './rate.ts';
import { count, type Usage } from './usage.ts';

/** The cost of a completion while it is being delivered. Equal to `costOf` of the same usage, without its objects. */
export interface RunningCost {
  /** Msat owed once this many output tokens are delivered. */
  at(outputTokens: number): bigint;
  /**
   * How many output tokens `amount` msat pay for, so that a stream only compares two numbers an event: 0 when not even the
   * prompt is covered, `Infinity` when they are free.
   */
  tokensWithin(amount: bigint): number;
}

/**
 * @param before all that the request uses apart from its output, the prompt first of all; its `outputTokens` are ignored
 * @throws PriceUnavailableError for a USD-priced model without a rate
 */
export function runningCost(
  model: Model,
  before: Omit<Usage, 'outputTokens'>,
  rate: Rate | undefined,
): RunningCost {
  const perMsat = unitsPerMsat(model.currency, rate);
  const { prices } = model;
  const start =
    prices.request +
    count(before.images) * prices.image +
    count(before.audioSeconds) * prices.audioSecond +
    count(before.webSearches) * prices.webSearch +
    count(before.inputTokens) * prices.prompt +
    count(before.cacheReadTokens) * prices.cacheRead +
    count(before.cacheWriteTokens) * prices.cacheWrite;
  const each = prices.completion;
  return {
    at: (outputTokens) => ceilDivide(start + count(outputTokens) * each, perMsat),
    tokensWithin: (amount) => {
      const rest = amount * perMsat - start;
      if (rest < 0n) return 0;
      return each === 0n ? Number.POSITIVE_INFINITY : Number(rest / each);
    },
  };
}
