import type { ApiFamily } from './api-family.ts';
import { findMember, type JsonMember, type JsonObject, scanObject } from './json-scan.ts';
import type { RequestFacts } from './request-facts.ts';
import { applySplices, type Splice } from './splice.ts';

export interface RewriteOptions {
  /** Have a stream of chat or text completions end with its usage, even if the client asked for none. */
  includeUsage: boolean;
  /** Have every event say what was used so far (vLLM): a cut stream is then billed to the token. */
  continuousUsage: boolean;
  /** Written into the body when the client stated no limit: what the hold was computed with. */
  maxTokens?: number | undefined;
  /**
   * The limit that the engine obeys on chats, `max_tokens` unless said otherwise: vLLM, llama.cpp, SGLang and Ollama all
   * do, while Ollama silently ignores `max_completion_tokens` (ollama#7125) and would answer without any bound. OpenAI's
   * reasoning models take only the latter.
   */
  chatLimit?: 'max_tokens' | 'max_completion_tokens' | undefined;
}

/**
 * The body as it goes upstream: the client's own bytes, with what billing needs spliced in.
 *
 * @param facts of this very body, from `readRequest`
 * @returns pieces of the body and of what is new; Content-Length is the sum of their lengths
 */
export function rewriteRequest(body: Buffer, facts: RequestFacts, options: RewriteOptions): Buffer[] {
  const { family, members: object } = facts;
  if (object === undefined) return [body];
  const splices: Splice[] = [];
  const added: string[] = [];
  const set = (name: string, value: string): void => {
    const member = findMember(object, name);
    if (member === undefined) added.push(`"${name}":${value}`);
    else splices.push({ from: member.valueStart, to: member.valueEnd, text: value });
  };

  if (facts.stream && options.includeUsage && (family === 'chat' || family === 'completions')) {
    const usage = options.continuousUsage ? ['include_usage', 'continuous_usage_stats'] : ['include_usage'];
    set('stream_options', streamOptions(body, findMember(object, 'stream_options'), usage));
  }
  // Kept answers could be pulled into a later prompt, by anyone who knows their id, unpriced.
  if (family === 'responses') set('store', 'false');
  const [limit, ...others] = obeyedLimits(family, options);
  if (limit !== undefined && ![limit, ...others].some((name) => isStated(body, object, name))) {
    // A limit under a name that this engine ignores made the hold small, and would leave the answer without bound.
    const most = facts.maxTokens ?? options.maxTokens;
    if (most !== undefined) set(limit, String(most));
  }

  if (added.length > 0) {
    const comma = object.members.length > 0 ? ',' : '';
    splices.push({ from: object.open + 1, to: object.open + 1, text: added.join(',') + comma });
  }
  return applySplices(body, splices);
}

/** The names under which the upstream obeys a limit; the first is the one to write. */
function obeyedLimits(family: ApiFamily, options: RewriteOptions): string[] {
  switch (family) {
    case 'chat':
      return options.chatLimit === 'max_completion_tokens'
        ? ['max_completion_tokens', 'max_tokens']
        : ['max_tokens'];
    case 'completions':
    case 'messages':
      return ['max_tokens'];
    case 'responses':
      return ['max_output_tokens'];
    default:
      return [];
  }
}

function isStated(body: Buffer, object: JsonObject, name: string): boolean {
  const member = findMember(object, name);
  return member !== undefined && body.toString('latin1', member.valueStart, member.valueEnd) !== 'null';
}

/** The client's own stream options with `names` true, as JSON. */
function streamOptions(body: Buffer, member: JsonMember | undefined, names: readonly string[]): string {
  const kept: string[] = names.map((name) => `"${name}":true`);
  const options: JsonObject | undefined = member && scanObject(body, member.valueStart, member.valueEnd);
  for (const { key, keyStart, valueEnd } of options?.members ?? []) {
    // Compared without case: Go's parser would let `Include_Usage` win over ours.
    if (!names.includes(key.toLowerCase())) kept.push(body.toString('utf8', keyStart, valueEnd));
  }
  return `{${kept.join(',')}}`;
}
