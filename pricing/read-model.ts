import { ceilDivide, parseDecimal } from './decimal.ts';
import { DecimalError } from './errors.ts';
import { type Currency, type Model, PRICE_PLACES, type Prices } from './model.ts';
import { readListing } from './read-listing.ts';
import { isRecord } from './record.ts';

const MAX_CONTEXT = 1_000_000_000;
/** A model that is not sold by the token needs no context; clients want a number all the same. */
const CONTEXT_OF_UNTOKENED = 4096;
const SAT_PRICE_PER_MSAT = 10n ** BigInt(PRICE_PLACES - 3);

/** How listed prices become selling prices. */
export interface PriceRules {
  margin: { numerator: bigint; denominator: bigint };
  /** All that a request costs, in msat; `undefined`: by the model's own prices. */
  fixedMsat: bigint | undefined;
  minRequestMsat: bigint;
}

type Report = (path: string, message: string) => void;

/** Keys of `pricing` that price nothing here: computed by us, or counted as prompt and completion tokens by upstreams. */
const UNPRICED = new Set(['max_prompt_cost', 'max_completion_cost', 'max_cost', 'discount', 'image_token']);
const TOKEN_KINDS = new Set(['audio', 'input_audio_cache', 'audio_output', 'internal_reasoning']);
const PRICED = new Set([
  ...['unit', 'prompt', 'completion', 'request', 'image', 'image_output', 'audio_second'],
  ...['input_cache_read', 'input_cache_write', 'web_search'],
]);

/** One entry of a models file. Reports what is wrong with it under `path`, and returns nothing if anything is. */
export function readModel(
  entry: unknown,
  path: string,
  rules: PriceRules,
  report: Report,
): Model | undefined {
  let sound = true;
  const complain: Report = (where, message) => {
    sound = false;
    report(where, message);
  };
  if (!isRecord(entry)) {
    complain(path, 'expected an object');
    return undefined;
  }
  const { id } = entry;
  if (typeof id !== 'string' || !/^[\x21-\x7e]{1,256}$/.test(id)) {
    complain(`${path}.id`, 'expected 1 to 256 printable ASCII characters without spaces');
  }
  const listing = readListing(entry, path, complain);
  const { currency, prices } =
    rules.fixedMsat === undefined
      ? readPrices(entry.pricing, `${path}.pricing`, rules, complain)
      : { currency: 'sat' as const, prices: fixedPrices(rules.fixedMsat) };
  const writesText = prices.completion > 0n || listing.architecture.output_modalities.includes('text');
  const size = readSize(entry, path, prices, writesText, complain);
  if (!sound || typeof id !== 'string') return undefined;
  // A fixed price covers the least a request costs as far as it goes.
  const least = rules.minRequestMsat - (rules.fixedMsat ?? 0n);
  return { id, currency, prices, ...size, minRequestMsat: least > 0n ? least : 0n, listing };
}

function readPrices(
  pricing: unknown,
  path: string,
  { margin }: PriceRules,
  report: Report,
): { currency: Currency; prices: Prices } {
  const listed = isRecord(pricing) ? pricing : {};
  if (!isRecord(pricing)) report(path, 'is missing; a model needs a price, "0" if it is free');
  const price = (key: string, otherwise?: bigint): bigint => {
    const value = listed[key];
    if (value === undefined || value === null) {
      if (otherwise === undefined && isRecord(pricing))
        report(`${path}.${key}`, 'is missing; "0" if it is free');
      return otherwise ?? 0n;
    }
    try {
      return ceilDivide(parseDecimal(value, PRICE_PLACES) * margin.numerator, margin.denominator);
    } catch (error) {
      if (!(error instanceof DecimalError)) throw error;
      report(`${path}.${key}`, error.message);
      return 0n;
    }
  };

  const { unit = 'usd' } = listed;
  if (unit !== 'usd' && unit !== 'sat') report(`${path}.unit`, 'expected "usd" or "sat"');
  for (const key of Object.keys(listed)) {
    if (PRICED.has(key) || UNPRICED.has(key)) continue;
    if (key === 'overrides' && Array.isArray(listed.overrides)) {
      if (listed.overrides.length > 0) {
        report(`${path}.overrides`, 'is not supported: remove it and price the model by its dearest tier');
      }
    } else if (!TOKEN_KINDS.has(key)) report(`${path}.${key}`, 'is no price that is known here');
  }

  const prompt = price('prompt');
  const completion = price('completion');
  // Sold as a prompt or completion token: one that is listed as dearer would be sold below its price.
  for (const [key, soldAt] of [
    ['audio', prompt],
    ['input_audio_cache', prompt],
    ['audio_output', completion],
    ['internal_reasoning', completion],
  ] as const) {
    if (price(key, 0n) > soldAt) {
      report(
        `${path}.${key}`,
        'is dearer than the tokens it is sold as; raise `prompt` or `completion` to it',
      );
    }
  }
  return {
    currency: unit === 'sat' ? 'sat' : 'usd',
    prices: {
      prompt,
      completion,
      cacheRead: price('input_cache_read', prompt),
      cacheWrite: price('input_cache_write', prompt),
      request: price('request', 0n),
      image: price('image_output', price('image', 0n)),
      audioSecond: price('audio_second', 0n),
      webSearch: price('web_search', 0n),
    },
  };
}

function fixedPrices(msat: bigint): Prices {
  const nothing = { prompt: 0n, completion: 0n, cacheRead: 0n, cacheWrite: 0n };
  return { ...nothing, request: msat * SAT_PRICE_PER_MSAT, image: 0n, audioSecond: 0n, webSearch: 0n };
}

/** Completes the two sizes that bound a hold. What a client is told and what is held must be the same. */
function readSize(
  entry: Record<string, unknown>,
  path: string,
  prices: Prices,
  writesText: boolean,
  report: Report,
): { contextLength: number; maxCompletionTokens: number } {
  const top = isRecord(entry.top_provider) ? entry.top_provider : {};
  const size = (value: unknown, where: string): number | undefined => {
    if (value === undefined || value === null || value === 0) return undefined;
    if (Number.isInteger(value) && Number(value) > 0 && Number(value) <= MAX_CONTEXT) return Number(value);
    report(where, `expected a whole number up to ${MAX_CONTEXT}`);
    return 1;
  };
  const own = size(entry.context_length, `${path}.context_length`);
  const given = size(top.context_length, `${path}.top_provider.context_length`) ?? own;
  const longest = size(top.max_completion_tokens, `${path}.top_provider.max_completion_tokens`);
  if (given === undefined && (prices.prompt > 0n || prices.completion > 0n)) {
    report(`${path}.context_length`, "is missing: without it a request's worst case has no bound");
  }
  const contextLength = given ?? CONTEXT_OF_UNTOKENED;
  const usual = writesText ? Math.floor(contextLength / 2) : 0;
  return { contextLength, maxCompletionTokens: Math.min(longest ?? usual, contextLength - 1) };
}
