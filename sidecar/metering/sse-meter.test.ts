import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ApiFamily } from '../body/api-family.ts';
import { SseMeter } from './sse-meter.ts';

interface Outcome {
  passed: string;
  rest: string;
  usageEvent: string | undefined;
  closing: string;
  tokens: number;
  finished: boolean;
  exact: boolean;
  usage: unknown;
}

/** Runs a stream through a meter, cut where `cuts` says. */
function run(family: ApiFamily, stream: string | Buffer, cuts: readonly number[] = []): Outcome {
  const bytes = Buffer.from(stream as string);
  const meter = new SseMeter(family);
  const passed: Buffer[] = [];
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    passed.push(...meter.push(bytes.subarray(from, cut)));
    from = cut;
  }
  const { rest, usageEvent, closing } = meter.end();
  return {
    passed: Buffer.concat(passed).toString('latin1'),
    rest: Buffer.concat(rest).toString('latin1'),
    usageEvent: usageEvent?.toString('latin1'),
    closing: Buffer.concat(closing).toString('latin1'),
    tokens: meter.deliveredTokens(),
    finished: meter.finished,
    exact: meter.exact,
    usage: meter.usage(),
  };
}

const data = (...payloads: object[]) =>
  payloads.map((payload) => `data: ${JSON.stringify(payload)}\n\n`).join('');
const typed = (...payloads: { type: string }[]) =>
  payloads.map((payload) => `event: ${payload.type}\ndata: ${JSON.stringify(payload)}\n\n`).join('');
const delta = (content: string, more: object = {}) => ({
  id: 'c1',
  created: 7,
  model: 'm',
  choices: [{ index: 0, delta: { content }, finish_reason: null }],
  ...more,
});
const stop = (more: object = {}) => ({
  id: 'c1',
  choices: [{ index: 0, delta: {}, finish_reason: 'stop' }],
  ...more,
});
const usage = (prompt: number, completion: number) => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
});
const DONE = 'data: [DONE]\n\n';

const openai = {
  text: data(
    { choices: [{ delta: { role: 'assistant', content: '' }, finish_reason: null }] },
    delta('Hel'),
    delta('lo'),
    stop(),
  ),
  usage: data({ id: 'c1', choices: [], usage: usage(9, 2) }),
};
const vllm = {
  text:
    data({
      choices: [{ delta: { role: 'assistant', content: '' }, finish_reason: null }],
      usage: usage(9, 0),
    }) +
    data(
      delta('Hello', { usage: usage(9, 1) }),
      delta(' world, dear', { usage: usage(9, 2) }),
      stop({ usage: usage(9, 2) }),
    ),
  usage: data({ choices: [], usage: usage(9, 2) }),
};
const anthropic = {
  text:
    typed({
      type: 'message_start',
      message: { usage: { input_tokens: 12, cache_read_input_tokens: 3, output_tokens: 1 } },
    } as never) +
    typed({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } } as never) +
    typed({ type: 'ping' }) +
    typed({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'text_delta', text: 'Hello there' },
    } as never) +
    typed({ type: 'content_block_stop', index: 0 } as never),
  usage: typed({
    type: 'message_delta',
    delta: { stop_reason: 'end_turn' },
    usage: { output_tokens: 15, input_tokens: null },
  } as never),
  stop: typed({ type: 'message_stop' }),
};
const responses = {
  text:
    typed({ type: 'response.created', response: { id: 'r', usage: null } } as never) +
    typed({ type: 'response.output_text.delta', delta: 'Hello' } as never) +
    typed({ type: 'response.output_text.done', text: 'Hello'.repeat(50) } as never),
  usage: typed({
    type: 'response.completed',
    response: { output: [{ content: [{ text: 'Hello' }] }], usage: { input_tokens: 9, output_tokens: 2 } },
  } as never),
};

describe('a stream that ends with its usage', () => {
  it('passes as it is, but for its last event and [DONE]', () => {
    expect(run('chat', openai.text + openai.usage + DONE)).toEqual({
      passed: openai.text,
      rest: '',
      usageEvent: openai.usage,
      closing: DONE,
      tokens: 2,
      finished: true,
      exact: true,
      usage: expect.objectContaining({ inputTokens: 9, outputTokens: 2 }),
    });
  });

  it.each<[string, ApiFamily, string, string, string, object]>([
    [
      'vLLM with usage in every event',
      'chat',
      vllm.text,
      vllm.usage,
      DONE,
      { inputTokens: 9, outputTokens: 2 },
    ],
    [
      'usage riding with the finish reason',
      'chat',
      data(delta('Hello')),
      data(stop({ usage: usage(9, 2) })),
      DONE,
      { outputTokens: 2 },
    ],
    [
      'Anthropic',
      'messages',
      anthropic.text,
      anthropic.usage,
      anthropic.stop,
      { inputTokens: 12, cacheReadTokens: 3, outputTokens: 15 },
    ],
    ['a response', 'responses', responses.text, responses.usage, '', { inputTokens: 9, outputTokens: 2 }],
    [
      'a transcription',
      'audio_transcription',
      data({ type: 'transcript.text.delta', delta: 'Hi' }),
      data({
        type: 'transcript.text.done',
        text: 'Hi',
        usage: { type: 'tokens', input_tokens: 5, output_tokens: 1 },
      }),
      '',
      { inputTokens: 5, outputTokens: 1 },
    ],
  ])('%s', (_, family, text, last, closing, counts) => {
    const outcome = run(family, text + last + closing);
    expect(outcome).toMatchObject({ passed: text, usageEvent: last, closing, finished: true, exact: true });
    expect(outcome.usage).toMatchObject(counts);
  });

  it('lets comments and pings by while something is held', () => {
    const outcome = run('chat', `${openai.usage}: keep-alive\n\n${DONE}`);
    expect(outcome).toMatchObject({ passed: ': keep-alive\n\n', usageEvent: openai.usage, closing: DONE });
    const ping = typed({ type: 'ping' });
    expect(run('messages', anthropic.usage + ping + anthropic.stop)).toMatchObject({
      passed: ping,
      usageEvent: anthropic.usage,
      closing: anthropic.stop,
    });
  });

  it('frees a held event when more comes, in order', () => {
    const early = data({ choices: [], usage: usage(9, 0) });
    const outcome = run('chat', early + data(delta('Hello')) + openai.usage + DONE);
    expect(outcome).toMatchObject({ passed: early + data(delta('Hello')), usageEvent: openai.usage });
  });

  it('ends an event that its upstream did not', () => {
    expect(run('chat', `${openai.text + openai.usage}data: [DONE]`)).toMatchObject({
      usageEvent: openai.usage,
      closing: 'data: [DONE]\n\n',
      finished: true,
    });
    expect(run('chat', 'data: {"choices":[{"de').rest).toBe('data: {"choices":[{"de\n\n');
  });

  it('keeps the names of the stream, for an event of our own', () => {
    const meter = new SseMeter('chat');
    meter.push(Buffer.from(openai.text));
    expect([...meter.identity]).toEqual([
      ['id', '"c1"'],
      ['created', '7'],
      ['model', '"m"'],
    ]);
  });
});

describe('what was delivered', () => {
  const tokens = (family: ApiFamily, stream: string) => run(family, stream).tokens;

  it('never costs more in part than as a whole, however long the words are', () => {
    const words = ['immeasurable', ' counterparties', ' notwithstanding', ' characterization'];
    expect(tokens('chat', data(...words.map((word) => delta(word))))).toBe(words.length);
  });

  it('is a token an event, or one in four bytes where an event has more than a token could', () => {
    expect(tokens('chat', data(delta('a'), delta('b'), delta('c')))).toBe(3);
    expect(tokens('chat', data(delta('x'.repeat(401))))).toBe(101);
    expect(tokens('chat', data(delta(''), stop()))).toBe(0);
  });

  it.each<[string, ApiFamily, object]>([
    [
      'tool calls',
      'chat',
      { choices: [{ delta: { tool_calls: [{ function: { arguments: 'x'.repeat(40) } }] } }] },
    ],
    ['thoughts', 'chat', { choices: [{ delta: { reasoning_content: 'x'.repeat(40) } }] }],
    [
      'thoughts under two names',
      'chat',
      { choices: [{ delta: { reasoning: 'x'.repeat(40), reasoning_content: 'x'.repeat(40) } }] },
    ],
    ['text completions', 'completions', { choices: [{ text: 'x'.repeat(40) }] }],
    ['tool input', 'messages', { type: 'content_block_delta', delta: { partial_json: 'x'.repeat(40) } }],
    ['a response', 'responses', { type: 'response.function_call_arguments.delta', delta: 'x'.repeat(40) }],
  ])('counts %s', (_, family, payload) => {
    expect(tokens(family, data(payload))).toBe(10);
    expect(
      tokens(family, `data:${JSON.stringify(payload, null, 1).replaceAll('\n', '\ndata: ')}\r\n\r\n`),
    ).toBe(10);
  });

  it('counts text once, though the parts of a response repeat it', () => {
    expect(tokens('responses', responses.text)).toBe(1);
  });

  it('counts finished images', () => {
    const completed = data({
      type: 'image_generation.completed',
      b64_json: 'A'.repeat(99),
      usage: { input_tokens: 5, output_tokens: 7 },
    });
    const meter = new SseMeter('images');
    meter.push(
      Buffer.from(data({ type: 'image_generation.partial_image', b64_json: 'A' }) + completed + completed),
    );
    expect([meter.deliveredImages, meter.finished]).toEqual([2, true]);
    expect(meter.usage()).toMatchObject({ inputTokens: 5, outputTokens: 7, images: 2 });
    expect(meter.end().usageEvent).toEqual(Buffer.from(completed));
  });

  it('counts an image from its first preview on, but no error', () => {
    const images = (...events: string[]) => {
      const meter = new SseMeter('images');
      for (const event of events) meter.push(Buffer.from(event));
      return meter.deliveredImages;
    };
    const preview = data({ type: 'image_generation.partial_image', b64_json: 'A' });
    expect(images(preview, preview)).toBe(1);
    expect(images(data({ data: [{ url: 'http://a/b.png' }] }))).toBe(1);
    expect(images(': waiting\n\n')).toBe(0);
    expect(images(data({ error: { message: 'no' } }), data({ type: 'error', message: 'no' }))).toBe(0);
  });

  it('is not fooled by text that looks like an event', () => {
    const text = JSON.stringify({ usage: usage(1, 1_000_000), content: 'x'.repeat(1000) });
    const outcome = run('chat', data(delta(text)));
    expect(outcome.tokens).toBeLessThan(400);
    expect(outcome.usage).toBeUndefined();
  });

  it('is measured to the end of a text, quotes and backslashes included', () => {
    expect(tokens('chat', data(delta('"'.repeat(100))))).toBe(50);
    expect(tokens('chat', data(delta(`${'\\'.repeat(100)}"`)))).toBe(51);
  });

  it('takes a usage from where it belongs only', () => {
    const elsewhere = { message: {}, metadata: { usage: usage(1, 2) }, choices: [{ usage: usage(1, 2) }] };
    expect(run('chat', data(elsewhere)).usage).toBeUndefined();
  });

  it('is what the upstream states on the way, and counted on from there', () => {
    const stated = data(delta('x'.repeat(400), { usage: usage(9, 3) }));
    expect(run('chat', stated)).toMatchObject({ tokens: 3, exact: true, usage: { outputTokens: 3 } });
    const more = run('chat', stated + data(delta('x'.repeat(40))));
    expect(more).toMatchObject({ tokens: 13, exact: false, usage: { inputTokens: 9, outputTokens: 13 } });
  });

  it('counts on from the start of a cut Anthropic stream', () => {
    expect(run('messages', anthropic.text)).toMatchObject({
      finished: false,
      exact: false,
      usage: { inputTokens: 12, cacheReadTokens: 3, outputTokens: 2 },
    });
  });

  it.each([
    ['{"prompt_tokens":9,"completion_tokens":-1}'],
    ['{"prompt_tokens":9,"completion_tokens":1.5}'],
    ['{"prompt_tokens":9}'],
    ['{"prompt_tokens":9,"completion_tokens":99999999999}'],
    ['null'],
    ['[]'],
    ['{"prompt_tokens"'],
  ])('is counted when the stated usage is %s', (bad) => {
    const outcome = run('chat', `${data(delta('Hello'))}data: {"choices":[],"usage":${bad}}\n\n`);
    expect(outcome).toMatchObject({ tokens: 1, exact: false, usage: undefined });
  });
});

describe('however the stream is cut', () => {
  const streams: [ApiFamily, string][] = [
    ['chat', openai.text + openai.usage + DONE],
    ['chat', (openai.text + openai.usage + DONE).replaceAll('\n', '\r\n')],
    ['chat', (openai.text + openai.usage + DONE).replaceAll('\n', '\r')],
    ['chat', `\ufeff${vllm.text}: comment\n\n${vllm.usage}${DONE}`],
    [
      'chat',
      `data: {"choices":[],\ndata:  "usage":{"prompt_tokens":1,\ndata:"completion_tokens":2}}\n\n${DONE}${DONE}`,
    ],
    ['messages', anthropic.text + anthropic.usage + anthropic.stop],
    ['responses', `${responses.text + responses.usage}id: 5\nretry: 10\n\n${DONE}`],
    ['chat', '{"error":"no stream at all"}'],
    ['extra', `\n\n\n\r\r\n\r\ndata\n\ndata: x\n\n${DONE}`],
  ];

  it.each(streams)(
    '%s comes out the same: cut at every byte, and into single bytes (%#)',
    (family, stream) => {
      const whole = run(family, stream);
      const length = Buffer.byteLength(stream);
      for (let cut = 0; cut <= length; cut++) expect(run(family, stream, [cut])).toEqual(whole);
      expect(
        run(
          family,
          stream,
          Array.from({ length }, (_, at) => at),
        ),
      ).toEqual(whole);
    },
  );

  it('nothing is lost, added or thrown, whatever the bytes', () => {
    const pieces = fc.constantFrom(
      'data: ',
      'data:',
      'event: x',
      '\n',
      '\n\n',
      '\r\n\r\n',
      '\r',
      ':',
      '{',
      '}',
      '[',
      ']',
      '"',
      '\\',
      '"usage":',
      '"choices":',
      '"content":"',
      '{"completion_tokens":5}',
      '[DONE]',
      'null',
      '"type":"message_delta"',
      '"type":"response.completed"',
      'é',
    );
    const families = fc.constantFrom<ApiFamily>(
      'chat',
      'completions',
      'messages',
      'responses',
      'images',
      'extra',
    );
    fc.assert(
      fc.property(
        families,
        fc.array(pieces, { maxLength: 40 }),
        fc.array(fc.nat(200)),
        (family, parts, cuts) => {
          const stream = Buffer.from(parts.join(''));
          const whole = run(family, stream);
          const places = cuts.filter((cut) => cut <= stream.length).sort((a, b) => a - b);
          expect(run(family, stream, places)).toEqual(whole);
          const out = [whole.passed, whole.rest, whole.usageEvent ?? '', whole.closing].join('');
          const text = stream.toString('latin1');
          expect([...out].sort().join('').replaceAll('\n', '')).toBe(
            [...text].sort().join('').replaceAll('\n', ''),
          );
          expect(out.length - text.length).toBeOneOf([0, 2]);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('an event that is too large to keep', () => {
  const large = data(delta('x'.repeat(3 * 1024 * 1024)));

  it('goes through as it comes, and is metered by its bytes', () => {
    const meter = new SseMeter('chat');
    const bytes = Buffer.from(large + openai.usage + DONE);
    let out = 0;
    let waiting = 0;
    for (let at = 0; at < bytes.length; at += 64 * 1024) {
      const chunk = bytes.subarray(at, at + 64 * 1024);
      for (const piece of meter.push(chunk)) out += piece.length;
      waiting = Math.max(waiting, at + chunk.length - out);
    }
    expect(waiting).toBeLessThan(1.2 * 1024 * 1024);
    expect(out).toBe(large.length);
    expect(meter.end()).toMatchObject({
      usageEvent: Buffer.from(openai.usage),
      closing: [Buffer.from(DONE)],
    });
    expect(meter.deliveredTokens()).toBe(2);
    expect(run('chat', large).tokens).toBeGreaterThan(700_000);
  });

  it('is no way to fill the memory behind [DONE] either', () => {
    const outcome = run('chat', openai.usage + DONE + data(delta('x'.repeat(200_000))));
    expect(outcome.passed.length).toBeGreaterThan(200_000);
  });
});
