import type { Usage } from '../../pricing/usage.ts';
import type { ApiFamily } from '../body/api-family.ts';

type Counts = Record<string, unknown>;

/** More tokens than any request has: a larger count is a fault, and would be charged. */
const MOST = 1_000_000_000;

/**
 * An upstream's usage object as ours, each token in one place.
 *
 * OpenAI's input contains what was read from or written to a cache, Anthropic's (`messages`) does not. A rerank may be
 * given Cohere's `billed_units`, a transcription OpenAI's `{type: "duration", seconds}`.
 *
 * @param value parsed JSON, of any shape
 * @returns undefined when a count that matters is missing, negative, not an integer or absurd: then it has to be counted
 */
export function readUsage(family: ApiFamily, value: unknown): Usage | undefined {
  if (!isObject(value)) return undefined;
  const spent = readSeconds(value) ?? readTokens(family, value);
  if (spent === undefined) return undefined;
  const searches = isObject(value.server_tool_use) ? value.server_tool_use.web_search_requests : undefined;
  const usage = { ...NOTHING, ...spent, webSearches: (searches ?? 0) as number };
  return Object.values(usage).every(isCount) ? usage : undefined;
}

export const NOTHING: Usage = Object.freeze({
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  images: 0,
  audioSeconds: 0,
  webSearches: 0,
});

/** Whether a count from outside may be charged. */
export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= MOST;
}

/** Seconds from outside, rounded up; -1, which is no count, when they are none. */
export function wholeSeconds(value: unknown): number {
  return typeof value === 'number' && value >= 0 ? Math.ceil(value) : -1;
}

function readSeconds(value: Counts): Partial<Usage> | undefined {
  return value.type === 'duration' ? { audioSeconds: wholeSeconds(value.seconds) } : undefined;
}

function readTokens(family: ApiFamily, value: Counts): Partial<Usage> | undefined {
  const stated = value.prompt_tokens ?? value.input_tokens ?? undefined;
  const output = value.completion_tokens ?? value.output_tokens ?? undefined;
  // Without output there is nothing but input to count, and some only give the sum.
  const answers = ANSWERING.has(family);
  const input = stated ?? (answers ? undefined : value.total_tokens);
  if (!isCount(input) || (answers && output === undefined)) return undefined;
  const outputTokens = (output ?? 0) as number;
  if (family === 'messages') {
    return {
      inputTokens: input,
      outputTokens,
      cacheReadTokens: (value.cache_read_input_tokens ?? 0) as number,
      cacheWriteTokens: (value.cache_creation_input_tokens ?? 0) as number,
    };
  }
  const details = value.prompt_tokens_details ?? value.input_tokens_details;
  const cached = isObject(details) ? details : {};
  const read = cached.cached_tokens ?? value.prompt_cache_hit_tokens ?? 0;
  const written = cached.cache_write_tokens ?? 0;
  if (!isCount(read) || !isCount(written)) return undefined;
  // More cached than sent: whatever was meant, no token is charged twice.
  const cacheReadTokens = Math.min(read, input);
  const cacheWriteTokens = Math.min(written, input - cacheReadTokens);
  return {
    inputTokens: input - cacheReadTokens - cacheWriteTokens,
    outputTokens,
    cacheReadTokens,
    cacheWriteTokens,
  };
}

/** Families that generate tokens: a usage without them is no usage. */
const ANSWERING: ReadonlySet<ApiFamily> = new Set(['chat', 'completions', 'responses', 'messages']);

function isObject(value: unknown): value is Counts {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
