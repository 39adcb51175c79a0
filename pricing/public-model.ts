import { unitsPerMsat } from './conversion.ts';
import { ceilDivide, formatDecimal, larger } from './decimal.ts';
import { worstCase } from './hold.ts';
import { type Currency, type Listing, type Model, PRICE_PLACES } from './model.ts';
import type { Rate } from './rate.ts';

/** Decimal digits that survive in a double, whatever they are. */
const DOUBLE_DIGITS = 15;

/** Prices as clients read them: numbers, for display and for prepaying, never charged by. */
interface PublicPricing {
  prompt: number;
  completion: number;
  request: number;
  image: number;
  audio_second: number;
  web_search: number;
  internal_reasoning: number;
  input_cache_read: number;
  input_cache_write: number;
  max_prompt_cost: number;
  max_completion_cost: number;
  max_cost: number;
}

/** An entry of `GET /v1/models`, in Routstr's and OpenRouter's shape. */
export interface PublicModel {
  id: string;
  object: 'model';
  owned_by: string;
  name: string;
  created: number;
  description: string;
  context_length: number;
  architecture: Listing['architecture'];
  /** USD per unit; null for a sat-priced model while no rate is known. */
  pricing: PublicPricing | null;
  /** Sats per unit; null for a USD-priced model while no rate is known. */
  sats_pricing: PublicPricing | null;
  per_request_limits: Record<string, unknown> | null;
  top_provider: { context_length: number; max_completion_tokens: number; is_moderated: boolean };
  enabled: true;
  canonical_slug: string | null;
  alias_ids: string[];
}

export function publicModel(model: Model, rate: Rate | undefined): PublicModel {
  const { listing } = model;
  return {
    id: model.id,
    object: 'model',
    owned_by: listing.ownedBy,
    name: listing.name,
    created: listing.created,
    description: listing.description,
    context_length: model.contextLength,
    architecture: listing.architecture,
    pricing: pricingIn('usd', model, rate),
    sats_pricing: pricingIn('sat', model, rate),
    per_request_limits: listing.perRequestLimits,
    top_provider: {
      context_length: model.contextLength,
      max_completion_tokens: model.maxCompletionTokens,
      is_moderated: listing.moderated,
    },
    enabled: true,
    canonical_slug: listing.canonicalSlug,
    alias_ids: listing.aliases,
  };
}

function pricingIn(currency: Currency, model: Model, rate: Rate | undefined): PublicPricing | null {
  if (rate === undefined && currency !== model.currency) return null;
  const from = currency === model.currency ? 1n : unitsPerMsat(model.currency, rate);
  const to = currency === model.currency ? 1n : unitsPerMsat(currency, rate);
  const shown = (units: bigint): number => asNumber(ceilDivide(units * to, from));

  const { prices } = model;
  const worst = worstCase(model);
  const least = leastUnits(model, rate);
  // Routstr's clients prepay the tokens and `request`, and never more than `max_cost`: both have to cover the least that
  // is held, else such a client is refused for a request that costs next to nothing.
  return {
    prompt: shown(prices.prompt),
    completion: shown(prices.completion),
    request: shown(currency === 'sat' ? prices.request + least : prices.request),
    image: shown(prices.image),
    audio_second: shown(prices.audioSecond),
    web_search: shown(prices.webSearch),
    // Sold as completion tokens.
    internal_reasoning: shown(prices.completion),
    input_cache_read: shown(prices.cacheRead),
    input_cache_write: shown(prices.cacheWrite),
    max_prompt_cost: shown(worst.prompt),
    max_completion_cost: shown(worst.completion),
    max_cost: shown(larger(worst.tokens, least) + prices.request + prices.image),
  };
}

/** The least that is held for a request, in the model's currency; nothing while there is no rate to express it by. */
function leastUnits(model: Model, rate: Rate | undefined): bigint {
  if (model.currency === 'usd' && rate === undefined) return 0n;
  return model.minRequestMsat * unitsPerMsat(model.currency, rate);
}

/**
 * A price as a double. Rounded up to the digits that a double can keep: a client that mints whole sats for a price of a
 * hair more than 5 has to mint 6.
 */
function asNumber(units: bigint): number {
  const excess = units.toString().length - DOUBLE_DIGITS;
  const step = 10n ** BigInt(Math.max(excess, 0));
  return Number(formatDecimal(ceilDivide(units, step) * step, PRICE_PLACES));
}
