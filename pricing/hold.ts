import { unitsPerMsat } from './conversion.ts';
import { ceilDivide, larger, smaller } from './decimal.ts';
import type { Model } from './model.ts';
import type { Rate } from './rate.ts';
import { count, type Estimate } from './usage.ts';

/** The dearest a request to a model can be, in price units; published with it, so that clients can prepay. */
export interface WorstCase {
  /** A prompt that fills the context. */
  prompt: bigint;
  /** The longest completion. */
  completion: bigint;
  /** The dearest split of the context into prompt and completion. */
  tokens: bigint;
}

/** @returns sums in 10^-24 of the model's currency */
export function worstCase(model: Model): WorstCase {
  const context = count(model.contextLength);
  const longest = count(model.maxCompletionTokens);
  const prompt = context * model.prices.prompt;
  const completion = longest * model.prices.completion;
  const split = (context - longest) * model.prices.prompt + completion;
  // A prompt token can be dearer than a completion token (embeddings have no completion at all): a full prompt is the
  // worst case then, and a cap below it would let it through unpaid.
  return { prompt, completion, tokens: larger(split, prompt) };
}

/**
 * What is set aside for a request before it is forwarded, in msat: Routstr's formula, so that a client which prepays by it
 * is not refused. Rounded up, once.
 *
 *     max(min_request, min(est × p + copies × out × c, worst case of one copy)) + request, image, audio and search prices
 *
 * @throws PriceUnavailableError for a USD-priced model without a rate
 */
export function holdFor(model: Model, estimate: Estimate, rate: Rate | undefined): bigint {
  const perMsat = unitsPerMsat(model.currency, rate);
  const { prices } = model;
  const asked =
    count(estimate.inputTokens) * prices.prompt +
    count(estimate.copies) * count(estimate.outputTokens) * prices.completion;
  // No context holds more than this, however the text was counted. Several copies share one prompt but not one context.
  const bound = estimate.copies === 1 ? smaller(asked, worstCase(model).tokens) : asked;
  const floor = model.minRequestMsat * perMsat;
  const extras =
    prices.request +
    count(estimate.images) * prices.image +
    count(estimate.audioSeconds) * prices.audioSecond +
    count(estimate.webSearches ?? 0) * prices.webSearch;
  return ceilDivide(larger(bound, floor) + extras, perMsat);
}
