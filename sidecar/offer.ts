import type { Catalogue } from '../pricing/catalogue.ts';
import type { RateSource } from '../pricing/rate.ts';
import type { Settings } from './settings.ts';

/** A path of the provider's own, sold at a fixed price. */
export interface ExtraPath {
  method: 'POST' | 'GET';
  path: string;
  /** msat a request. */
  price: bigint;
}

/** What is for sale and on what terms. Replaced as a whole when a file changes; a request keeps the one it began with. */
export interface Offer {
  settings: Settings;
  catalogue: Catalogue;
  rates: RateSource;
  /** Normalised mint URLs, first choice first. */
  mints: readonly string[];
  extraPaths: readonly ExtraPath[];
}
