/**
 * Places that a price keeps: it is a whole number of 10^-24 of its currency. Published price lists hold prices such as
 * `0.0000000416666666666667`, which pico-USD would have to round.
 */
export const PRICE_PLACES = 24;

/** What a model's price is quoted in. Sat prices need no exchange rate. */
export type Currency = 'usd' | 'sat';

/** Per unit, in 10^-24 of the model's currency, margin included. */
export interface Prices {
  /** One prompt token. */
  prompt: bigint;
  /** One completion token, reasoning included. */
  completion: bigint;
  cacheRead: bigint;
  cacheWrite: bigint;
  /** One request, whatever it uses. */
  request: bigint;
  /** One image made. */
  image: bigint;
  /** One second of audio heard or spoken. */
  audioSecond: bigint;
  webSearch: bigint;
}

/** What only people and clients read: no charge depends on it. */
export interface Listing {
  name: string;
  ownedBy: string;
  /** Unix time in s. */
  created: number;
  description: string;
  architecture: {
    modality: string;
    input_modalities: string[];
    output_modalities: string[];
    tokenizer: string;
    instruct_type: string | null;
  };
  perRequestLimits: Record<string, unknown> | null;
  moderated: boolean;
  canonicalSlug: string | null;
  aliases: string[];
}

/** A model that is for sale. */
export interface Model {
  /** As the catalogue spells it. */
  id: string;
  currency: Currency;
  prices: Prices;
  /** Tokens of prompt and completion together. */
  contextLength: number;
  /** Less than `contextLength`; 0 for models that write no text. */
  maxCompletionTokens: number;
  /** Least that is held for one request, in msat. */
  minRequestMsat: bigint;
  listing: Listing;
}
