import { isUtf8 } from 'node:buffer';
import type { ApiFamily } from './api-family.ts';
import { type JsonObject, scanObject } from './json-scan.ts';
import { estimatePrompt } from './prompt-estimate.ts';
import { RequestError } from './request-error.ts';
import type { RequestFacts } from './request-facts.ts';
import { isUnboundedMember, refuseUnbounded } from './unbounded.ts';

type Body = Record<string, unknown>;

/** Names under which engines take a limit on the tokens of one completion: OpenAI's three, llama.cpp's, SGLang's and TGI's. */
const TOKEN_LIMITS = [
  'max_tokens',
  'max_completion_tokens',
  'max_output_tokens',
  'n_predict',
  'max_new_tokens',
];
/** How many completions of one prompt: OpenAI's two, llama.cpp's. */
const COPIES = ['n', 'best_of', 'n_cmpl'];

const MAX_COPIES = 1024;
const MAX_MODEL_LENGTH = 256;
/** More objects and arrays than any conversation has: what they take in memory is out of all proportion to their bytes. */
const MAX_CONTAINERS = 100_000;
/** Seconds that one character takes to speak at the slowest, long numbers included. */
const SPOKEN_SECONDS_PER_CHARACTER = 0.2;

/** @throws RequestError */
export function readJsonRequest(family: ApiFamily, bytes: Buffer): RequestFacts {
  // Decoders treat bad UTF-8 differently: `mod\xffel` is a member to one and `model` to another.
  if (!isUtf8(bytes)) throw new RequestError('invalid_json', 'The body is not UTF-8.');
  const members = scanObject(bytes);
  if (members === undefined || members.containers > MAX_CONTAINERS) {
    throw new RequestError('invalid_json', 'The body must be one JSON object, nested at most 128 deep.');
  }
  refuseAmbiguous(members);
  const body = parse(bytes);
  refuseUnbounded(family, body);

  const limits = TOKEN_LIMITS.map((name) => integer(body, name, 0, Number.MAX_SAFE_INTEGER));
  const stated = limits.filter((limit) => limit !== undefined);
  const each = Math.max(...COPIES.map((name) => integer(body, name, 1, MAX_COPIES) ?? 1));
  const copies = promptCount(family, body) * each;
  return {
    family,
    model: readModel(body, members, bytes),
    stream: readStream(family, body),
    maxTokens: stated.length === 0 ? undefined : Math.max(...stated),
    copies,
    estimateInput: estimatePrompt(family, body),
    images: family === 'images' ? copies : 0,
    audioSeconds: family === 'audio_speech' ? speechSeconds(body) : 0,
    members,
  };
}

function parse(bytes: Buffer): Body {
  try {
    return JSON.parse(bytes.toString()) as Body;
  } catch {
    throw new RequestError('invalid_json', 'The body is not valid JSON.');
  }
}

/**
 * Of two members with one name some parsers take the first, some the last, and Go's (Ollama) takes `Max_Tokens` for
 * `max_tokens`, `ſ` for `s` and the Kelvin sign for `k`. What we price must be what the upstream sees.
 */
function refuseAmbiguous(object: JsonObject): void {
  const seen = new Set<string>();
  for (const { key } of object.members) {
    const folded = /^[a-z0-9_]*$/.test(key) ? key : key.toUpperCase().toLowerCase();
    if (seen.has(folded)) {
      throw new RequestError('invalid_request', 'The body has two members of the same name. Send each once.');
    }
    seen.add(folded);
    if (folded !== key && (READ.has(folded) || isUnboundedMember(folded))) {
      throw new RequestError('invalid_request', `Write "${folded}" in lower case.`);
    }
  }
}

/** Members that decide about the price, or whether there is one. */
const READ = new Set([
  ...TOKEN_LIMITS,
  ...COPIES,
  'model',
  'stream',
  'stream_options',
  'input',
  'messages',
  'prompt',
  'system',
  'instructions',
  'tools',
  'speed',
  'store',
  'background',
  'modalities',
  'service_tier',
]);

function readModel(body: Body, members: JsonObject, bytes: Buffer): string {
  const input = isObject(body.input) ? body.input : undefined;
  if (input !== undefined && Object.hasOwn(input, 'model')) {
    const at = members.members.find((member) => member.key === 'input')!;
    const inside = scanObject(bytes, at.valueStart, at.valueEnd);
    if (inside !== undefined) refuseAmbiguous(inside);
    if (body.model !== undefined && body.model !== input.model) {
      throw new RequestError('invalid_request', 'The body names two models. Name one.');
    }
  }
  const model = body.model ?? input?.model;
  if (typeof model !== 'string' || model === '' || model.length > MAX_MODEL_LENGTH) {
    throw new RequestError('invalid_request', 'Name a model: "model" must be a string.');
  }
  return model;
}

function readStream(family: ApiFamily, body: Body): boolean {
  // Some engines take "true" and 1 for true: then they would stream where we wait for a whole answer.
  const stream = body.stream ?? false;
  if (typeof stream !== 'boolean')
    throw new RequestError('invalid_request', '"stream" must be true or false.');
  return stream || (family === 'audio_speech' && body.stream_format === 'sse');
}

function promptCount(family: ApiFamily, body: Body): number {
  const { prompt } = body;
  if (family !== 'completions' || !Array.isArray(prompt)) return 1;
  const ids = prompt.filter((element) => typeof element === 'number').length;
  if (ids !== 0 && ids !== prompt.length) {
    throw new RequestError('invalid_request', '"prompt" must be texts or token ids, not both.');
  }
  return ids === 0 ? Math.max(1, prompt.length) : 1;
}

function speechSeconds(body: Body): number {
  const speed = body.speed ?? 1;
  if (typeof speed !== 'number' || speed < 0.25 || speed > 4) {
    throw new RequestError('invalid_request', '"speed" must be between 0.25 and 4.');
  }
  const characters = typeof body.input === 'string' ? body.input.length : 0;
  return Math.ceil((characters * SPOKEN_SECONDS_PER_CHARACTER) / speed);
}

function integer(body: Body, name: string, least: number, most: number): number | undefined {
  const value = body[name] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least || value > most) {
    throw new RequestError('invalid_request', `"${name}" must be an integer from ${least} to ${most}.`);
  }
  return value;
}

function isObject(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
