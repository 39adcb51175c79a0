import type { Usage } from '../../pricing/usage.ts';
import type { ApiFamily } from '../body/api-family.ts';
import type { JsonObject } from '../body/json-scan.ts';

export const BYTES_PER_TOKEN = 4;
/** How fast people speak. */
const CHARACTERS_PER_SECOND = 15;
/** The bound on spoken audio assumes the slowest speech, three times as long as the usual. */
const SLOWEST_SPEECH = 3;

/** Members whose strings are what the model said. */
const SAID = new Set([
  'content',
  'text',
  'arguments',
  'reasoning_content',
  'reasoning',
  'refusal',
  'thinking',
]);
/** A tool's arguments, where they are no string. */
const ARGUMENTS = new Set(['input', 'arguments']);

/** What a request is billed when its answer does not say, and the most that it can be. */
export interface Counted {
  /** The prompt as counted, the audio at its longest. */
  before: Usage;
  /** Bound on the output of all copies together. */
  mostOutput: number;
}

/**
 * An answer's usage from what it contains, for upstreams that don't state it: the prompt as it was counted, and one token
 * for four bytes of text, never above what was held. Of audio, as much as the text takes to speak.
 *
 * @param object of `scanObject(body)`: nested at most 128 deep; undefined when the body is no JSON object
 */
export function countAnswer(
  family: ApiFamily,
  body: Buffer,
  object: JsonObject | undefined,
  { before, mostOutput }: Counted,
): Usage {
  switch (family) {
    case 'chat':
    case 'completions':
    case 'responses':
    case 'messages': {
      const outputTokens = Math.min(mostOutput, Math.ceil(textBytes(body, object) / BYTES_PER_TOKEN));
      return { ...before, outputTokens };
    }
    case 'audio_transcription':
    case 'audio_translation': {
      return { ...before, audioSeconds: heardSeconds(before, textBytes(body, object)) };
    }
    case 'audio_speech':
      return { ...before, audioSeconds: usualSpeech(before) };
    default:
      return before;
  }
}

/** Seconds that somebody spoke to say so much text, at most what was held. */
export function heardSeconds({ audioSeconds }: Usage, text: number): number {
  return Math.min(audioSeconds, Math.max(1, Math.ceil(text / CHARACTERS_PER_SECOND)));
}

/** Seconds it takes to say what was asked for, at the usual speed. */
export function usualSpeech({ audioSeconds }: Usage): number {
  return Math.ceil(audioSeconds / SLOWEST_SPEECH);
}

/** UTF-8 bytes of what was said. A body that can't be read was delivered all the same: all of it counts. */
function textBytes(body: Buffer, object: JsonObject | undefined): number {
  if (object === undefined) return body.length;
  let answer: unknown;
  try {
    answer = JSON.parse(body.toString());
  } catch {
    return body.length;
  }
  return said(answer, false);
}

function said(value: unknown, counts: boolean): number {
  if (typeof value === 'string') return counts ? Buffer.byteLength(value) : 0;
  if (typeof value !== 'object' || value === null) return 0;
  let bytes = 0;
  if (Array.isArray(value)) {
    for (const element of value) bytes += said(element, counts);
    return bytes;
  }
  const members = value as Record<string, unknown>;
  for (const name of Object.keys(members)) {
    // Thoughts come under either name, from some servers under both.
    if (name === 'reasoning' && typeof members.reasoning_content === 'string') continue;
    const member = members[name];
    if (ARGUMENTS.has(name) && typeof member === 'object') bytes += Buffer.byteLength(JSON.stringify(member));
    else bytes += said(member, SAID.has(name));
  }
  return bytes;
}
