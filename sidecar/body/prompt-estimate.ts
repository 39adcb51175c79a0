import type { ApiFamily } from './api-family.ts';
import { refuseUnboundedPart } from './unbounded.ts';

type Body = Record<string, unknown>;

/** What Routstr and its SDK reckon for an image whose size they don't know: 85 + 4 tiles of 170. */
export const IMAGE_TOKENS = 765;
const CHARACTERS_PER_TOKEN = 3;

/** Members that never become part of a prompt. All others might, so all their text counts: nothing can hide in one. */
const SETTINGS = new Set([
  'model',
  'stream_options',
  'metadata',
  'user',
  'safety_identifier',
  'prompt_cache_key',
  'encoding_format',
  'service_tier',
  'reasoning_effort',
  'tool_choice',
  'size',
  'quality',
  'voice',
  'stream_format',
]);

/** Members in which a number is a token id. */
const PROMPTS = new Set(['input', 'prompt', 'input_ids', 'prompt_token_ids']);

/**
 * Words of the API itself. They are free, so that a client which prepays by the length of its texts is not refused;
 * only these exact words are, so that nothing hides in them.
 */
const STRUCTURE = new Set([
  'role',
  'content',
  'type',
  'text',
  'image_url',
  'url',
  'detail',
  'source',
  'media_type',
  'data',
  'user',
  'assistant',
  'system',
  'developer',
  'tool',
  'function',
  'message',
  'input_text',
  'output_text',
  'input_image',
  'image',
]);

interface Tally {
  characters: number;
  tokenIds: number;
  images: number;
  /** Messages and parts: one costs a token at least, however empty, or a list of empty ones would be free. */
  items: number;
}

/**
 * Tokens of a request's prompt, by the formula that clients prepay by: Σ chars(text)/3 + 765 an image + one a token id,
 * rounded up. Images are never fetched, nor their size read.
 *
 * @param body parsed, at most 128 deep
 * @throws RequestError for content that has no estimate
 */
export function estimatePrompt(family: ApiFamily, body: Body): number {
  const tally: Tally = { characters: 0, tokenIds: 0, images: 0, items: 0 };
  for (const name of Object.keys(body)) {
    const value = body[name];
    if (name === 'messages' || name === 'system' || name === 'instructions') countItems(value, tally);
    else if (PROMPTS.has(name)) countPrompt(value, tally);
    else if (family === 'images' && (name === 'image' || name === 'images' || name === 'mask')) {
      countImages(value, tally);
    } else if (!SETTINGS.has(name)) countText(value, tally);
  }
  if (family === 'rerank') countPairs(body, tally);
  const text = Math.ceil(tally.characters / CHARACTERS_PER_TOKEN);
  // Never nothing: an empty text is a prompt all the same, and would be answered for free.
  return Math.max(text + tally.tokenIds, tally.items, 1) + tally.images * IMAGE_TOKENS;
}

/** A conversation, or the content of one item of it. */
function countItems(value: unknown, tally: Tally): void {
  if (!Array.isArray(value)) {
    if (isObject(value)) countItem(value, tally);
    else countText(value, tally);
    return;
  }
  for (const item of value) {
    if (isObject(item)) countItem(item, tally);
    else countItems(item, tally);
  }
}

function countItem(item: Body, tally: Tally): void {
  refuseUnboundedPart(item);
  tally.items++;
  for (const name of Object.keys(item)) {
    const value = item[name];
    if (!STRUCTURE.has(name)) tally.characters += name.length;
    if (name === 'content' || name === 'output') countItems(value, tally);
    else if (name === 'image_url' || (item.type === 'image' && (name === 'source' || name === 'image'))) {
      countImages(value, tally);
    } else if ((name === 'role' || name === 'type') && STRUCTURE.has(value as string)) continue;
    else countText(value, tally);
  }
}

/** A prompt as text, as token ids, as several of either, or as a conversation. */
function countPrompt(value: unknown, tally: Tally): void {
  if (typeof value === 'number') tally.tokenIds++;
  else if (Array.isArray(value)) for (const element of value) countPrompt(element, tally);
  else if (isObject(value)) countItem(value, tally);
  else countText(value, tally);
}

/** Images by address or by their bytes: either is a string, which no engine reads as text. */
function countImages(value: unknown, tally: Tally): void {
  if (typeof value === 'string') tally.images++;
  else if (Array.isArray(value)) for (const element of value) countImages(element, tally);
  else if (isObject(value)) {
    refuseUnboundedPart(value);
    for (const name of Object.keys(value)) {
      if (name === 'url' || name === 'data' || name === 'image_url') countImages(value[name], tally);
      else if (name !== 'media_type' && name !== 'detail' && name !== 'type') countText(value[name], tally);
    }
  }
}

/** A reranker reads the query once with every document. */
function countPairs(body: Body, tally: Tally): void {
  if (typeof body.query !== 'string' || !Array.isArray(body.documents)) return;
  tally.characters += body.query.length * Math.max(0, body.documents.length - 1);
}

function countText(value: unknown, tally: Tally): void {
  if (typeof value === 'string') tally.characters += value.length;
  else if (Array.isArray(value)) for (const element of value) countText(element, tally);
  else if (isObject(value)) {
    for (const name of Object.keys(value)) {
      tally.characters += name.length;
      countText(value[name], tally);
    }
  }
}

function isObject(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
