import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { normalizeMintUrl, parsePublicKey } from '../cashu/index.ts';
import { loadCatalogue } from '../pricing/catalogue.ts';
import { ceilDivide, parseDecimal } from '../pricing/decimal.ts';
import { CatalogueError } from '../pricing/errors.ts';
import { type RateSource, staticRate } from '../pricing/rate.ts';
import { ConfigError } from './config-error.ts';
import type { ExtraPath, Offer } from './offer.ts';
import { inferencePaths } from './paths.ts';
import type { Settings } from './settings.ts';

const fallbackCatalogue = 'models.example.json';
const largestCatalogue = 32 * 1024 * 1024;

/**
 * What the settings and the catalogue offer for sale.
 * @throws ConfigError that names the setting to mend
 */
export async function loadOffer(settings: Settings): Promise<Offer> {
  checkLockKey(settings.WALLET_PUBLIC_KEY);
  const text = await readCatalogue(catalogueFiles(settings));
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new ConfigError([`MODELS_PATH: ${settings.MODELS_PATH} is not JSON (${(error as Error).message})`]);
  }
  try {
    const catalogue = loadCatalogue(json, {
      version: version(text, settings),
      marginPercent: settings.MARGIN_PERCENT,
      modelBasedPricing: settings.MODEL_BASED_PRICING,
      fixedCostPerRequestSats: settings.FIXED_COST_PER_REQUEST,
      minRequestMsat: BigInt(settings.MIN_REQUEST_MSAT),
    });
    const needsRate = catalogue.models.find(({ currency }) => currency === 'usd');
    if (needsRate && settings.BTC_USD === undefined) {
      throw new ConfigError([
        `BTC_USD: expected a static Bitcoin price: ${needsRate.id} is priced in USD; it is missing`,
      ]);
    }
    return {
      settings,
      catalogue,
      rates: rates(settings.BTC_USD),
      mints: mints(settings),
      extraPaths: extraPaths(settings),
    };
  } catch (error) {
    if (!(error instanceof CatalogueError)) throw error;
    throw new ConfigError(error.problems.map(({ path, message }) => `MODELS_PATH: ${path}: ${message}`));
  }
}

function checkLockKey(key: string): void {
  try {
    parsePublicKey(key);
  } catch {
    throw new ConfigError([
      'WALLET_PUBLIC_KEY: this is no point of the curve: money locked to it could never be spent',
    ]);
  }
}

/** Where a catalogue may be; the first that exists is it. */
export function catalogueFiles({ MODELS_PATH: path }: Settings): string[] {
  return path === 'models.json' ? [path, fallbackCatalogue] : [path];
}

async function readCatalogue(candidates: readonly string[]): Promise<string> {
  for (const candidate of candidates) {
    try {
      const text = await readFile(candidate, 'utf8');
      if (text.length > largestCatalogue)
        throw new ConfigError([`MODELS_PATH: ${candidate} is larger than 32 MiB`]);
      return text;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw new ConfigError([
    `MODELS_PATH: there is no ${candidates.join(' or ')}; expected a catalogue of models`,
  ]);
}

/** Names these very prices in every hold and charge: the same files give the same name on every replica. */
function version(catalogue: string, settings: Settings): string {
  const terms = [settings.MARGIN_PERCENT, settings.MODEL_BASED_PRICING, settings.FIXED_COST_PER_REQUEST];
  return createHash('sha256').update(JSON.stringify(terms)).update(catalogue).digest('hex').slice(0, 12);
}

function mints({ CASHU_MINTS }: Settings): string[] {
  const urls = CASHU_MINTS.map((url) => {
    const mint = normalizeMintUrl(url);
    if (mint === undefined) throw new ConfigError([`CASHU_MINTS: ${url} is not a URL that a mint can have`]);
    return mint;
  });
  return [...new Set(urls)];
}

function rates(btcUsd: string | undefined): RateSource {
  return btcUsd === undefined ? { current: () => undefined } : staticRate(btcUsd);
}

function extraPaths({ EXTRA_PATHS }: Settings): ExtraPath[] {
  const sold = new Set<string>(inferencePaths);
  return EXTRA_PATHS.map(({ path, method, sats }) => {
    if (sold.has(path)) throw new ConfigError([`EXTRA_PATHS: ${path} is for sale already`]);
    sold.add(path);
    return { path, method, price: msatOf(sats) };
  });
}

/** Decimal sats to msat, rounded up. As many places as the settings take are kept until then. */
function msatOf(sats: string): bigint {
  return ceilDivide(parseDecimal(sats, 12) * 1000n, 10n ** 12n);
}
