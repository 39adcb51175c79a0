import type { ApiFamily } from '../../sidecar/body/api-family.ts';
import { mutateBytes } from './byte-mutation.ts';
import { mutateJson } from './json-mutation.ts';
import type { Random } from './random.ts';

export const streamed = [
  ...([
    'chat',
    'completions',
    'responses',
    'messages',
    'audio_transcription',
    'audio_speech',
    'images',
  ] as const),
  ...(['embeddings'] as const),
] satisfies readonly ApiFamily[];
export type Streamed = (typeof streamed)[number];

const ends = ['\n', '\n', '\n', '\r\n', '\r'] as const;
const comments = [': keep-alive', ':', ': data: [DONE]', 'retry: 10', 'id: 7', 'event', 'unknown: x'];
const usages = [
  ...[
    'null',
    '{}',
    '[]',
    '"10"',
    '{"prompt_tokens":-1,"completion_tokens":3}',
    '{"prompt_tokens":1.5,"completion_tokens":3}',
  ],
  ...['{"prompt_tokens":1e400,"completion_tokens":1e400}', '{"prompt_tokens":"7","completion_tokens":"8"}'],
  ...[
    '{"prompt_tokens":7}',
    '{"completion_tokens":8}',
    '{"total_tokens":8}',
    '{"prompt_tokens":null,"completion_tokens":null}',
  ],
  ...[
    '{"prompt_tokens":99999999999,"completion_tokens":3}',
    '{"input_tokens":7,"output_tokens":8}',
    '{"prompt_tokens":7,',
  ],
  ...['{"prompt_tokens":7,"completion_tokens":8,"prompt_tokens_details":{"cached_tokens":900}}'],
  ...['{"prompt_tokens":7,"completion_tokens":8,"cost":{"total_msats":0},"cost_sats":0}'],
  ...['{"prompt_tokens":7,"completion_tokens":8,"total_tokens":15}', '{"type":"duration","seconds":2.5}'],
];

/** What a model server might send as a stream of one family: well or badly, with or without its end. */
export function randomStream(family: Streamed, random: Random): Buffer {
  const end = random.pick(ends);
  const pieces: string[] = random.chance(0.05) ? ['\ufeff'] : [];
  const event = (data: string, name?: string) => {
    if (random.chance(0.08)) pieces.push(random.pick(comments), end, random.chance(0.7) ? end : '');
    if (name !== undefined) pieces.push(`event: ${name}`, end);
    const lines = random.chance(0.04) ? data.split(/(?<=,)/) : [data];
    const after = random.chance(0.1) ? random.pick(['', ' ', '  ', '\t']) : ' ';
    for (const line of lines)
      pieces.push(`data:${after}${line}`, random.chance(0.03) ? random.pick(ends) : end);
    pieces.push(random.chance(0.03) ? random.pick(ends) : end);
  };
  const say = (text: string, usage: string | undefined) => {
    const damaged = random.chance(0.03);
    const { data, name } = textEvent(family, text, damaged ? undefined : usage, random);
    event(damaged ? mutateJson(data, random).toString('latin1') : data, name);
  };
  const count = random.pick([0, 1, 2, 3, 5, 8, 20]);
  if (family === 'messages' && random.chance(0.8))
    event(
      `{"type":"message_start","message":{"id":"m","usage":${random.chance(0.7) ? '{"input_tokens":7,"output_tokens":1}' : random.pick(usages)}}}`,
      'message_start',
    );
  for (let n = 0; n < count; n++)
    say(random.pick(texts), random.chance(0.1) ? random.pick(usages) : undefined);
  for (const { data, name } of lastEvents(family, random)) event(data, name);
  const whole = Buffer.from(pieces.join(''));
  return random.chance(0.15) ? mutateBytes(whole, random) : whole;
}

const texts = [
  'a',
  ' word',
  '',
  '😀',
  'ÿ\u2028',
  '\\',
  '"',
  '\n',
  'data: [DONE]',
  '"usage":{"prompt_tokens":0}',
  'x'.repeat(300),
  '{"content":"b"}',
];

function textEvent(
  family: Streamed,
  text: string,
  usage: string | undefined,
  random: Random,
): { data: string; name?: string } {
  const said = JSON.stringify(text);
  const stated = usage === undefined ? '' : `,"usage":${usage}`;
  switch (family) {
    case 'completions':
      return {
        data: `{"id":"c","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":${said},"finish_reason":null}]${stated}}`,
      };
    case 'responses':
      return {
        data: `{"type":"response.output_text.delta","item_id":"i","delta":${said}${stated}}`,
        name: 'response.output_text.delta',
      };
    case 'messages':
      return {
        data: `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":${said}}${stated}}`,
        name: 'content_block_delta',
      };
    case 'audio_transcription':
      return { data: `{"type":"transcript.text.delta","delta":${said}${stated}}` };
    case 'audio_speech':
      return { data: `{"type":"speech.audio.delta","audio":${said}${stated}}` };
    case 'images':
      return {
        data: `{"type":"image_generation.partial_image","b64_json":${said}${stated}}`,
        name: 'image_generation.partial_image',
      };
    default: {
      const member = random.pick([
        'content',
        'content',
        'content',
        'reasoning_content',
        'reasoning',
        'refusal',
      ]);
      return {
        data: `{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"${member}":${said}},"finish_reason":null}]${stated}}`,
      };
    }
  }
}

function lastEvents(family: Streamed, random: Random): { data: string; name?: string }[] {
  const usage = random.chance(0.6) ? random.pick(usages) : tokenUsage(family, random);
  const events: { data: string; name?: string }[] = [];
  if (family === 'chat' || family === 'completions' || family === 'embeddings') {
    if (random.chance(0.7))
      events.push({
        data: `{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]${random.chance(0.2) ? `,"usage":${usage}` : ''}}`,
      });
    if (random.chance(0.7)) events.push({ data: `{"id":"c","choices":[],"usage":${usage}}` });
    if (random.chance(0.8)) events.push({ data: '[DONE]' });
  } else if (family === 'messages') {
    if (random.chance(0.8))
      events.push({
        data: `{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":${usage}}`,
        name: 'message_delta',
      });
    if (random.chance(0.8)) events.push({ data: '{"type":"message_stop"}', name: 'message_stop' });
  } else {
    const type = {
      responses: 'response.completed',
      audio_transcription: 'transcript.text.done',
      audio_speech: 'speech.audio.done',
      images: 'image_generation.completed',
    }[family];
    const inside = family === 'responses' ? `"response":{"id":"r","usage":${usage}}` : `"usage":${usage}`;
    if (random.chance(0.8)) events.push({ data: `{"type":"${type}",${inside}}`, name: type });
  }
  if (random.chance(0.1)) events.push({ data: '{"error":{"message":"broke","type":"server_error"}}' });
  if (random.chance(0.1)) events.reverse();
  return events;
}

function tokenUsage(family: Streamed, random: Random): string {
  const [input, output] = [random.int(50), random.int(50)];
  if (family === 'chat' || family === 'completions')
    return `{"prompt_tokens":${input},"completion_tokens":${output},"total_tokens":${input + output}}`;
  return `{"input_tokens":${input},"output_tokens":${output}}`;
}

/** Cuts bytes into pieces of at most so many. */
export function chop(bytes: Buffer, most: number, random: Random): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const until = at + random.between(1, most);
    pieces.push(bytes.subarray(at, until));
    at = until;
  }
  return pieces;
}
