import type { Ask } from './ask.ts';
import { wholeNumber } from './ask.ts';

const WORDS =
  'paid by the token and told in plain words this answer counts its way from one to the last'.split(' ');
const NATURAL_LENGTH = 24;

/** The n-th token of any completion. */
export function token(n: number): string {
  return `${n === 0 ? '' : ' '}${WORDS[n % WORDS.length]}`;
}

export function tokensTo(length: number): string {
  let text = '';
  for (let n = 0; n < length; n++) text += token(n);
  return text;
}

/** Tokens of a prompt: four characters of text each, or one each for token ids. Everything but text is free. */
export function countTokens(prompt: unknown): number {
  const ids = countNumbers(prompt);
  return ids + Math.ceil(countCharacters(prompt) / 4);
}

/** Fields that hold prompt text, in any of the shapes that chat messages, content parts and inputs come in. */
const TEXT_FIELDS = new Set([
  'content',
  'text',
  'input',
  'prompt',
  'arguments',
  'output',
  'system',
  'instructions',
]);

function countCharacters(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + countCharacters(item), 0);
  if (typeof value !== 'object' || value === null) return 0;
  return Object.entries(value).reduce(
    (sum, [name, item]) => (TEXT_FIELDS.has(name) ? sum + countCharacters(item) : sum),
    0,
  );
}

function countNumbers(value: unknown): number {
  if (typeof value === 'number') return 1;
  return Array.isArray(value) ? value.reduce<number>((sum, item) => sum + countNumbers(item), 0) : 0;
}

/** How long a completion gets, and why it ends there. */
export interface Length {
  tokens: number;
  cut: boolean;
}

export function lengthOf({ fields, fault }: Ask): Length {
  if (fault.endless && fields.stream) return { tokens: Number.POSITIVE_INFINITY, cut: false };
  if (fault.overrun !== undefined) return { tokens: fault.overrun, cut: false };
  const limits = ['max_tokens', 'max_completion_tokens', 'max_output_tokens']
    .map((name) => wholeNumber(fields, name))
    .filter((limit) => limit !== undefined);
  const limit = Math.min(...limits);
  const natural = fields.ignore_eos === true && limits.length > 0 ? limit : (fault.tokens ?? NATURAL_LENGTH);
  return { tokens: Math.min(natural, limit), cut: limit < natural };
}

/** Prompt tokens that are reported as cached. */
export function cachedOf({ fault }: Ask, prompt: number): number {
  return Math.min(fault.cached ?? 0, prompt);
}
