import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRequest } from './read-request.ts';
import { type RewriteOptions, rewriteRequest } from './rewrite-request.ts';

const CHAT = '/v1/chat/completions';

function rewrite(text: string, options: Partial<RewriteOptions> = {}, path = CHAT): string {
  const body = Buffer.from(text);
  const facts = readRequest(path, 'application/json', body);
  return Buffer.concat(
    rewriteRequest(body, facts, { includeUsage: true, continuousUsage: false, ...options }),
  ).toString();
}

describe('the body that goes upstream', () => {
  it('is the very same bytes when nothing is missing', () => {
    const text = ' { "model" : "m",\n "max_tokens":1e1 , "messages":[] } ';
    expect(rewrite(text, { maxTokens: 9 })).toBe(text);
  });

  it.each([
    ['{"model":"m","stream":true}', '{"stream_options":{"include_usage":true},"model":"m","stream":true}'],
    [
      '{"model":"m","stream":true,"stream_options":null}',
      '{"model":"m","stream":true,"stream_options":{"include_usage":true}}',
    ],
    [
      '{"stream_options":{"x":[1], "include_usage":false},"model":"m","stream":true}',
      '{"stream_options":{"include_usage":true,"x":[1]},"model":"m","stream":true}',
    ],
    [
      '{"stream_options":{"include_usage":true,"Include_Usage":false,"\\u0069nclude_usage":false},"model":"m","stream":true}',
      '{"stream_options":{"include_usage":true},"model":"m","stream":true}',
    ],
    ['{"model":"m","stream":false}', '{"model":"m","stream":false}'],
  ])('asks for the usage of a stream: %s', (before, after) => {
    expect(rewrite(before)).toBe(after);
  });

  it('asks for usage in every event where the engine can', () => {
    const text = '{"model":"m","stream":true,"stream_options":{"continuous_usage_stats":false}}';
    const { stream_options } = JSON.parse(rewrite(text, { continuousUsage: true })) as Record<
      string,
      unknown
    >;
    expect(stream_options).toEqual({ include_usage: true, continuous_usage_stats: true });
  });

  it.each([
    [CHAT, { max_tokens: 9 }],
    ['/v1/completions', { max_tokens: 9 }],
    ['/v1/messages', { max_tokens: 9 }],
    ['/v1/responses', { max_output_tokens: 9, store: false }],
    ['/v1/embeddings', {}],
  ])('is bounded when the client set no limit: %s', (path, added) => {
    expect(JSON.parse(rewrite('{"model":"m"}', { maxTokens: 9 }, path))).toEqual({ model: 'm', ...added });
  });

  it('replaces a null, so that no member stands twice', () => {
    expect(rewrite('{"model":"m","max_tokens":null}', { maxTokens: 9 })).toBe('{"model":"m","max_tokens":9}');
    expect(rewrite('{"model":"m","store":null}', {}, '/v1/responses')).toBe('{"model":"m","store":false}');
  });

  it('repeats a limit under the name that the engine obeys', () => {
    expect(JSON.parse(rewrite('{"model":"m","n_predict":3}'))).toEqual({
      model: 'm',
      n_predict: 3,
      max_tokens: 3,
    });
    const modern = '{"model":"m","max_completion_tokens":3}';
    expect(JSON.parse(rewrite(modern, { maxTokens: 9 }))).toMatchObject({ max_tokens: 3 });
    expect(rewrite(modern, { maxTokens: 9, chatLimit: 'max_completion_tokens' })).toBe(modern);
  });

  it('means what the client meant, plus what was spliced in', () => {
    const name = fc.constantFrom('messages', 'temperature', 'stop', 'seed', 'stream_options', 'max_tokens');
    fc.assert(
      fc.property(
        fc.dictionary(name, fc.oneof(fc.constant(null), fc.constant({ a: [1] }), fc.constant('x'))),
        fc.boolean(),
        fc.nat(2),
        (rest, stream, indent) => {
          const { max_tokens: _, ...others } = rest;
          const sent = 'max_tokens' in rest ? { ...others, max_tokens: null } : others;
          const options = sent.stream_options;
          const merged = { ...(typeof options === 'object' ? options : {}), include_usage: true };
          expect(
            JSON.parse(
              rewrite(JSON.stringify({ model: 'm', stream, ...sent }, null, indent), { maxTokens: 9 }),
            ),
          ).toEqual({
            model: 'm',
            stream,
            ...sent,
            max_tokens: 9,
            ...(stream ? { stream_options: merged } : {}),
          });
        },
      ),
    );
  });
});
