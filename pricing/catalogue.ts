import { parseDecimal } from './decimal.ts';
import { CatalogueError, DecimalError, type Problem } from './errors.ts';
import type { Model } from './model.ts';
import { type PriceRules, readModel } from './read-model.ts';

const MAX_MODELS = 20_000;
const MARGIN_PLACES = 6;
const SAT_PLACES = 3;

export interface CatalogueOptions {
  /** Names this state of the catalogue in holds and journal entries. A new one for every change. */
  version: string;
  /** Decimal, at most 6 places: `'5'` sells at 105 % of the listed prices. Not applied to the fixed price. */
  marginPercent: string;
  /** false: every request costs `fixedCostPerRequestSats` and nothing else, whatever the models' prices are. */
  modelBasedPricing: boolean;
  /** Decimal sats, at most 3 places. Needed without `modelBasedPricing`. */
  fixedCostPerRequestSats?: string;
  minRequestMsat: bigint;
}

/** The models for sale, and the names by which clients may ask for them. */
export interface Catalogue {
  readonly version: string;
  readonly models: readonly Model[];
  /**
   * By id, `alias_ids`, `canonical_slug`, or one of these without its vendor (`gpt-5` for `openai/gpt-5`), in any case.
   * A name that fits several models equally well finds none: its price would be a guess.
   */
  find(name: string): Model | undefined;
}

/**
 * Reads a models file: an array of models, or an object that has it as `models` or `data`. Models with `enabled: false`
 * are left out.
 * @throws CatalogueError listing every problem with its JSON path; nothing is sold from a catalogue that has one
 */
export function loadCatalogue(json: unknown, options: CatalogueOptions): Catalogue {
  const problems: Problem[] = [];
  const report = (path: string, message: string): void => void problems.push({ path, message });
  const rules = readRules(options, report);
  const { path, entries } = findEntries(json, report);

  const models: Model[] = [];
  for (const [index, entry] of entries.entries()) {
    if ((entry as { enabled?: unknown } | null)?.enabled === false) continue;
    const model = readModel(entry, `${path}[${index}]`, rules, report);
    if (model) models.push(model);
  }
  const names = indexNames(models, report);
  if (problems.length > 0) throw new CatalogueError(problems);
  if (models.length === 0) throw new CatalogueError([{ path, message: 'no model is for sale' }]);
  return { version: options.version, models, find: (name) => names.get(name.toLowerCase()) };
}

type Report = (path: string, message: string) => void;

function findEntries(json: unknown, report: Report): { path: string; entries: unknown[] } {
  const root = json as { models?: unknown; data?: unknown } | unknown[] | null;
  if (Array.isArray(root)) return bounded('$', root, report);
  for (const key of ['models', 'data'] as const) {
    const list = root?.[key];
    if (Array.isArray(list)) return bounded(`$.${key}`, list, report);
  }
  throw new CatalogueError([{ path: '$', message: 'expected a list of models, or an object with `models`' }]);
}

function bounded(path: string, entries: unknown[], report: Report): { path: string; entries: unknown[] } {
  if (entries.length <= MAX_MODELS) return { path, entries };
  report(path, `has ${entries.length} models; at most ${MAX_MODELS} are read`);
  return { path, entries: [] };
}

function readRules(options: CatalogueOptions, report: Report): PriceRules {
  const decimal = (name: keyof CatalogueOptions, places: number): bigint => {
    try {
      return parseDecimal(options[name], places);
    } catch (error) {
      if (!(error instanceof DecimalError)) throw error;
      report(name, error.message);
      return 0n;
    }
  };
  const hundred = 100n * 10n ** BigInt(MARGIN_PLACES);
  return {
    margin: { numerator: hundred + decimal('marginPercent', MARGIN_PLACES), denominator: hundred },
    fixedMsat: options.modelBasedPricing ? undefined : decimal('fixedCostPerRequestSats', SAT_PLACES),
    minRequestMsat: options.minRequestMsat,
  };
}

/** What an operator wrote wins over what is derived from it. */
function indexNames(models: readonly Model[], report: Report): Map<string, Model> {
  const index = new Map<string, Model>();
  for (const model of models) {
    const name = model.id.toLowerCase();
    if (index.has(name)) report(model.id, 'this id is listed twice');
    index.set(name, model);
  }
  const aliases = namesBy(models, (model) => model.listing.aliases);
  for (const [name, owners] of aliases) {
    const owner = index.get(name) ?? owners[0];
    if (owners.some((other) => other !== owner)) report(name, 'this alias names more than one model');
  }
  const derived = [
    aliases,
    namesBy(models, ({ listing }) => (listing.canonicalSlug === null ? [] : [listing.canonicalSlug])),
    namesBy(models, ({ id, listing }) =>
      [id, listing.canonicalSlug ?? id, ...listing.aliases].map(withoutVendor),
    ),
  ];
  for (const names of derived) {
    for (const [name, [owner, ...others]] of names) {
      if (owner && others.length === 0 && !index.has(name)) index.set(name, owner);
    }
  }
  return index;
}

function namesBy(models: readonly Model[], names: (model: Model) => string[]): Map<string, Model[]> {
  const owners = new Map<string, Model[]>();
  for (const model of models) {
    for (const name of new Set(names(model).map((spelled) => spelled.toLowerCase()))) {
      owners.set(name, [...(owners.get(name) ?? []), model]);
    }
  }
  return owners;
}

function withoutVendor(name: string): string {
  return name.slice(name.indexOf('/') + 1);
}
