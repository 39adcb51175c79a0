import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ApiFamily } from '../body/api-family.ts';
import { meterAnswer } from './meter-answer.ts';
import { NOTHING, readUsage } from './usage.ts';

const counted = { before: { ...NOTHING, inputTokens: 50, audioSeconds: 30 }, mostOutput: 100 };
const meter = (family: ApiFamily, body: unknown) =>
  meterAnswer(family, Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), counted);

describe('what an upstream states', () => {
  it.each<[ApiFamily, object, object]>([
    ['chat', { prompt_tokens: 9, completion_tokens: 2 }, { inputTokens: 9, outputTokens: 2 }],
    [
      'chat',
      { prompt_tokens: 9, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 4 } },
      { inputTokens: 5, cacheReadTokens: 4 },
    ],
    [
      'chat',
      { prompt_tokens: 9, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 40 } },
      { inputTokens: 0, cacheReadTokens: 9 },
    ],
    ['chat', { prompt_tokens: 9, completion_tokens: 2, prompt_tokens_details: null }, { inputTokens: 9 }],
    [
      'chat',
      { prompt_tokens: 9, completion_tokens: 0, prompt_cache_hit_tokens: 6 },
      { inputTokens: 3, cacheReadTokens: 6 },
    ],
    ['embeddings', { prompt_tokens: 9, total_tokens: 9 }, { inputTokens: 9, outputTokens: 0 }],
    ['rerank', { total_tokens: 9 }, { inputTokens: 9 }],
    [
      'responses',
      { input_tokens: 9, output_tokens: 2, input_tokens_details: { cached_tokens: 4 } },
      { inputTokens: 5, cacheReadTokens: 4, outputTokens: 2 },
    ],
    [
      'messages',
      { input_tokens: 9, output_tokens: 2, cache_read_input_tokens: 4, cache_creation_input_tokens: 3 },
      { inputTokens: 9, cacheReadTokens: 4, cacheWriteTokens: 3 },
    ],
    [
      'messages',
      { input_tokens: 9, output_tokens: 2, server_tool_use: { web_search_requests: 3 } },
      { webSearches: 3 },
    ],
    ['images', { input_tokens: 9, output_tokens: 200 }, { inputTokens: 9, outputTokens: 200 }],
    ['audio_transcription', { type: 'duration', seconds: 12.2 }, { audioSeconds: 13, inputTokens: 0 }],
    [
      'audio_transcription',
      { type: 'tokens', input_tokens: 5, output_tokens: 2 },
      { inputTokens: 5, audioSeconds: 0 },
    ],
  ])('is read: %s %j', (family, stated, expected) => {
    expect(readUsage(family, stated)).toMatchObject(expected);
  });

  it.each<[ApiFamily, unknown]>([
    ['chat', undefined],
    ['chat', null],
    ['chat', []],
    ['chat', 'x'],
    ['chat', {}],
    ['chat', { prompt_tokens: 9 }],
    ['chat', { completion_tokens: 9 }],
    ['chat', { prompt_tokens: null, completion_tokens: null }],
    ['chat', { prompt_tokens: -1, completion_tokens: 2 }],
    ['chat', { prompt_tokens: 9, completion_tokens: -2 }],
    ['chat', { prompt_tokens: 9, completion_tokens: 1.5 }],
    ['chat', { prompt_tokens: '9', completion_tokens: '2' }],
    ['chat', { prompt_tokens: 9, completion_tokens: 1e15 }],
    ['chat', { prompt_tokens: 9, completion_tokens: 2, prompt_tokens_details: { cached_tokens: -4 } }],
    ['messages', { input_tokens: 9, output_tokens: 2, cache_read_input_tokens: -1 }],
    ['messages', { input_tokens: 9, output_tokens: 2, server_tool_use: { web_search_requests: -1 } }],
    ['audio_transcription', { type: 'duration', seconds: -1 }],
    ['audio_transcription', { type: 'duration' }],
  ])('is no usage: %s %j', (family, stated) => {
    expect(readUsage(family, stated)).toBeUndefined();
  });

  it('is a usage of counts or none, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<ApiFamily>('chat', 'messages', 'audio_transcription'),
        fc.dictionary(
          fc.constantFrom(
            'prompt_tokens',
            'completion_tokens',
            'input_tokens',
            'output_tokens',
            'type',
            'seconds',
            'server_tool_use',
          ),
          fc.oneof(fc.jsonValue(), fc.double(), fc.integer(), fc.constant('duration')),
        ),
        (family, stated) => {
          const counts = Object.values(readUsage(family, stated) ?? {});
          expect(counts.every((count) => Number.isSafeInteger(count) && count >= 0)).toBe(true);
        },
      ),
    );
  });
});

describe('a whole answer', () => {
  it('is billed by its usage', () => {
    expect(
      meter('chat', {
        choices: [{ message: { content: 'x'.repeat(900) } }],
        usage: { prompt_tokens: 9, completion_tokens: 2 },
      }),
    ).toEqual({
      usage: { ...NOTHING, inputTokens: 9, outputTokens: 2 },
      estimated: false,
    });
    expect(
      meter('images', {
        data: [{ b64_json: 'x]"'.repeat(99) }, {}],
        usage: { input_tokens: 9, output_tokens: 7 },
      }).usage.images,
    ).toBe(2);
    expect(meter('rerank', { results: [], meta: { billed_units: { input_tokens: 7 } } })).toMatchObject({
      usage: { inputTokens: 7 },
    });
    expect(meter('audio_transcription', { text: 'Hi', duration: 4.1 })).toMatchObject({
      usage: { audioSeconds: 5 },
      estimated: false,
    });
    expect(meter('audio_transcription', { text: 'Hi', duration: '4.1' })).toMatchObject({
      usage: { audioSeconds: 5 },
    });
    expect(meter('extra', '{"usage":{"prompt_tokens":9}}')).toEqual({ usage: NOTHING, estimated: false });
  });

  it.each<[string, ApiFamily, unknown, number]>([
    ['chat', 'chat', { choices: [{ message: { content: 'x'.repeat(40) } }], usage: null }, 10],
    [
      'bad usage',
      'chat',
      { choices: [{ message: { content: 'x'.repeat(40) } }], usage: { prompt_tokens: -1 } },
      10,
    ],
    ['several choices', 'completions', { choices: [{ text: 'x'.repeat(40) }, { text: 'x'.repeat(40) }] }, 20],
    [
      'tool calls',
      'chat',
      {
        choices: [
          {
            message: { content: null, tool_calls: [{ function: { name: 'f', arguments: 'x'.repeat(40) } }] },
          },
        ],
      },
      10,
    ],
    [
      'thoughts once',
      'chat',
      {
        choices: [{ message: { reasoning: 'x'.repeat(40), reasoning_content: 'x'.repeat(40), content: '' } }],
      },
      10,
    ],
    [
      'a response',
      'responses',
      {
        output: [{ content: [{ type: 'output_text', text: 'x'.repeat(40) }] }],
        instructions: 'y'.repeat(999),
      },
      10,
    ],
    ['tool input', 'messages', { content: [{ type: 'tool_use', input: { q: 'x'.repeat(32) } }] }, 10],
    ['no more than was held', 'chat', { choices: [{ message: { content: 'x'.repeat(4000) } }] }, 100],
    ['broken JSON', 'chat', `{"choices":[{"message":{"content":"${'x'.repeat(80)}`, 29],
    ['JSON that only looks whole', 'chat', `{"choices":[{"message":{"content" "${'x'.repeat(80)}"}}]}`, 30],
  ])('is counted without: %s', (_, family, body, outputTokens) => {
    expect(meter(family, body)).toEqual({ usage: { ...counted.before, outputTokens }, estimated: true });
  });

  it('is counted by what it is made of: images, embeddings, audio', () => {
    expect(meter('images', { data: [{}, {}, {}] })).toMatchObject({
      usage: { images: 3, inputTokens: 50 },
      estimated: true,
    });
    expect(meter('images', 'raw bytes')).toMatchObject({ usage: { images: 1 }, estimated: true });
    expect(meter('images', { data: [] })).toMatchObject({ usage: { images: 0 } });
    expect(meter('embeddings', { data: [] })).toMatchObject({ usage: { inputTokens: 50, outputTokens: 0 } });
    expect(meter('audio_transcription', { text: 'x'.repeat(150) })).toMatchObject({
      usage: { audioSeconds: 10 },
    });
    expect(meter('audio_transcription', 'plain text')).toMatchObject({ usage: { audioSeconds: 1 } });
    expect(meter('audio_transcription', 'x'.repeat(9999))).toMatchObject({ usage: { audioSeconds: 30 } });
    expect(meter('audio_speech', '\xff\xfb\x90')).toMatchObject({ usage: { audioSeconds: 10 } });
  });

  it('never throws, and never bills above the hold, whatever the body', () => {
    const families = fc.constantFrom<ApiFamily>(
      'chat',
      'responses',
      'messages',
      'images',
      'rerank',
      'audio_transcription',
    );
    const bodies = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .dictionary(fc.constantFrom('choices', 'output', 'usage', 'data', 'meta'), fc.jsonValue())
        .map((body) => JSON.stringify(body)),
    );
    fc.assert(
      fc.property(families, bodies, (family, body) => {
        const { usage, estimated } = meter(family, body);
        if (estimated) expect(usage.outputTokens <= 100 && usage.inputTokens === 50).toBe(true);
      }),
      { numRuns: 1000 },
    );
    expect(meter('chat', `{"choices":${'['.repeat(1e6)}`).usage.outputTokens).toBe(100);
  });
});
