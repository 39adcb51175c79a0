import { type Cost, costOf } from '../../pricing/cost.ts';
import { holdFor } from '../../pricing/hold.ts';
import type { Model } from '../../pricing/model.ts';
import type { Rate } from '../../pricing/rate.ts';
import { type RunningCost, runningCost } from '../../pricing/running-cost.ts';
import type { Estimate, Usage } from '../../pricing/usage.ts';

/** What a request is sold at: one model's price and one rate, from its hold to its cost, whatever changes meanwhile. */
export interface Sale {
  /** The model's id, or the path of an extra path. For the journal. */
  readonly name: string;
  /** Price and rate version. */
  readonly priced: string;
  hold(estimate: Estimate): bigint;
  cost(usage: Usage): Cost;
  running(before: Usage): RunningCost;
}

/** @throws PriceUnavailableError on first use, for a USD-priced model without a rate */
export function saleOf(model: Model, rate: Rate | undefined, version: string): Sale {
  return {
    name: model.id,
    priced: `${version} ${model.currency === 'usd' ? (rate?.version ?? 'none') : 'sat'}`,
    hold: (estimate) => holdFor(model, estimate, rate),
    cost: (usage) => costOf(model, usage, rate),
    running: (before) => runningCost(model, before, rate),
  };
}

/** A path sold at one price, whatever goes through it. */
export function fixedSale(path: string, price: bigint, version: string): Sale {
  return {
    name: path,
    priced: `${version} fixed`,
    hold: () => price,
    cost: () => ({
      totalMsat: price,
      baseMsat: price,
      inputMsat: 0n,
      cacheReadMsat: 0n,
      cacheWriteMsat: 0n,
      outputMsat: 0n,
      totalUsd: undefined,
    }),
    running: () => ({ at: () => price, tokensWithin: () => Number.POSITIVE_INFINITY }),
  };
}
