import type { Listing } from './model.ts';
import { isRecord } from './record.ts';

const MAX_NAME = 256;
const MAX_TEXT = 16_384;
const MAX_LIST = 64;

type Report = (path: string, message: string) => void;

/** What `/v1/models` tells about a model besides its prices. Everything is optional in a models file. */
export function readListing(entry: Record<string, unknown>, path: string, report: Report): Listing {
  const text = (
    from: Record<string, unknown>,
    key: string,
    otherwise: string,
    longest = MAX_NAME,
  ): string => {
    const value = from[key] ?? otherwise;
    if (typeof value === 'string' && value.length <= longest) return value;
    report(`${path}.${key}`, `expected a string of at most ${longest} characters`);
    return otherwise;
  };
  const list = (from: Record<string, unknown>, key: string, otherwise: string[]): string[] => {
    const value = from[key] ?? otherwise;
    const fits = (item: unknown): item is string => typeof item === 'string' && item.length <= MAX_NAME;
    if (Array.isArray(value) && value.length <= MAX_LIST && value.every(fits)) return value;
    report(`${path}.${key}`, `expected at most ${MAX_LIST} strings`);
    return otherwise;
  };

  const id = typeof entry.id === 'string' ? entry.id : '';
  const architecture = isRecord(entry.architecture) ? entry.architecture : {};
  const inputs = list(architecture, 'input_modalities', ['text']);
  const outputs = list(architecture, 'output_modalities', ['text']);
  const slug = text(entry, 'canonical_slug', '');
  const instruct = text(architecture, 'instruct_type', '');
  return {
    name: text(entry, 'name', id),
    ownedBy: text(entry, 'owned_by', id.includes('/') ? id.slice(0, id.indexOf('/')) : 'local'),
    created: Number.isSafeInteger(entry.created) ? Number(entry.created) : 0,
    description: text(entry, 'description', '', MAX_TEXT),
    architecture: {
      modality: text(architecture, 'modality', `${inputs.join('+')}->${outputs.join('+')}`),
      input_modalities: inputs,
      output_modalities: outputs,
      tokenizer: text(architecture, 'tokenizer', 'Other'),
      instruct_type: instruct === '' ? null : instruct,
    },
    perRequestLimits: isRecord(entry.per_request_limits) ? entry.per_request_limits : null,
    moderated: isRecord(entry.top_provider) && entry.top_provider.is_moderated === true,
    canonicalSlug: slug === '' ? null : slug,
    aliases: list(entry, 'alias_ids', []),
  };
}
