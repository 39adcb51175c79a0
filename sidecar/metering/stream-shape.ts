import type { ApiFamily } from '../body/api-family.ts';

/** How the events of one family carry text, and which of them come last. */
export interface StreamShape {
  /** Members whose strings are generated text. What is in several of `alternatives` is the same text twice. */
  text: readonly string[];
  alternatives: readonly string[];
  /** Only events of these types bring new text; the others repeat it. Undefined: every event. */
  delta: RegExp | undefined;
  /** Types of the events that carry the final usage. Undefined: known by their empty choices or their finish reason. */
  usage: RegExp | undefined;
  /** Types of the events after which nothing comes, besides `data: [DONE]`. */
  last: RegExp | undefined;
}

const chat: StreamShape = {
  text: ['content', 'arguments', 'refusal', 'thinking'],
  alternatives: ['reasoning_content', 'reasoning'],
  delta: undefined,
  usage: undefined,
  last: undefined,
};

/** Nothing is known of it: every event goes through. */
const silent: StreamShape = { ...chat, text: [], alternatives: [], usage: /(?!)/ };

/** A stream of typed events that end with one that sums up. */
const summed: StreamShape = {
  text: ['delta'],
  alternatives: [],
  delta: /\.delta$/,
  usage: /\.(?:completed|incomplete|failed|done)$/,
  last: /\.(?:completed|incomplete|failed|done)$/,
};

export function streamShape(family: ApiFamily): StreamShape {
  switch (family) {
    case 'chat':
      return chat;
    case 'completions':
      return { ...chat, text: ['text'], alternatives: [] };
    case 'responses': {
      // Its parts end with `.done` each; only the response itself ends the stream.
      const end = /^response\.(?:completed|incomplete|failed)$/;
      return { ...summed, usage: end, last: end };
    }
    case 'messages':
      return {
        text: ['text', 'thinking', 'partial_json'],
        alternatives: [],
        delta: /^content_block_delta$/,
        usage: /^message_delta$/,
        last: /^message_stop$/,
      };
    case 'audio_transcription':
    case 'audio_translation':
      return { ...summed, usage: /^transcript\.text\.done$/, last: /^transcript\.text\.done$/ };
    case 'audio_speech':
      return { ...summed, text: [], usage: /^speech\.audio\.done$/, last: /^speech\.audio\.done$/ };
    case 'images': {
      const end = /^image_(?:generation|edit)\.completed$/;
      return { ...summed, text: [], usage: end, last: undefined };
    }
    default:
      return silent;
  }
}
