import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ApiFamily } from '../body/api-family.ts';
import type { Spent } from './cost-fields.ts';
import { mergeBuffered, mergedUsageEvent } from './merge.ts';
import { errorEvent } from './own-events.ts';
import { NOTHING } from './usage.ts';

const spent = (family: ApiFamily = 'chat'): Spent => ({
  family,
  usage: { ...NOTHING, inputTokens: 9, outputTokens: 2 },
  fields: {
    cost: {
      totalMsat: 1201n,
      baseMsat: 1n,
      inputMsat: 200n,
      cacheReadMsat: 0n,
      cacheWriteMsat: 0n,
      outputMsat: 1000n,
      totalUsd: '0.00000123',
    },
    chargedMsat: 1201n,
    remainingMsat: 90_071_992_547_409_930n,
  },
});

const MONEY = {
  cost: {
    base_msats: 1,
    input_msats: 200,
    output_msats: 1000,
    total_msats: 1201,
    cache_read_msats: 0,
    cache_creation_msats: 0,
    total_usd: 0.00000123,
  },
  cost_sats: 2,
  remaining_balance_msats: Number(90_071_992_547_409_930n),
};

const buffered = (body: string, family?: ApiFamily) =>
  Buffer.concat(mergeBuffered(Buffer.from(body), spent(family))).toString();
const event = (text: string | undefined, family?: ApiFamily, identity: [string, string][] = []) =>
  mergedUsageEvent(
    text === undefined ? undefined : Buffer.from(text),
    spent(family),
    new Map(identity),
  ).toString();
const payload = (text: string) =>
  JSON.parse(text.slice(text.indexOf('data: ') + 6)) as Record<string, unknown>;

describe('a buffered answer', () => {
  it('gets the cost into its usage; all else keeps its bytes', () => {
    const before = '{ "id":"x", "usage" : {"prompt_tokens":9 , "completion_tokens":2},"z":[1e2] }';
    const after = buffered(before);
    expect(after).toMatch(
      /^\{ "id":"x", "usage" : \{"prompt_tokens":9,"completion_tokens":2,"cost":\{.*\},"z":\[1e2\] \}$/,
    );
    expect(after).toContain('"remaining_balance_msats":90071992547409930');
    expect(JSON.parse(after)).toMatchObject({ usage: { prompt_tokens: 9, completion_tokens: 2, ...MONEY } });
  });

  it.each<[string, ApiFamily, object]>([
    ['{"data":[]}', 'embeddings', { prompt_tokens: 9, total_tokens: 11 }],
    ['{}', 'chat', { completion_tokens: 2 }],
    ['{"usage":null,"a":1}', 'chat', { prompt_tokens: 9 }],
    ['{"usage":[1]}', 'messages', { input_tokens: 9, output_tokens: 2 }],
    ['{"usage":"none"}', 'responses', { input_tokens: 9 }],
  ])('gets a usage where it has none: %s', (body, family, counts) => {
    expect(JSON.parse(buffered(body, family)).usage).toMatchObject({ ...counts, ...MONEY });
  });

  it('shows our price only, and shows it once', () => {
    const after = buffered(
      '{"usage":{"cost":0.5,"a":1,"cost_sats":7,"\\u0063ost":{"total_msats":1},"remaining_balance_msats":3}}',
    );
    expect(after.match(/"cost"|"cost_sats"|"remaining_balance_msats"|total_msats/g)).toHaveLength(4);
    expect(JSON.parse(after).usage).toEqual({ a: 1, ...MONEY });
  });

  it.each([['[1]'], ['plain text'], [''], ['{"broken":'], ['1\n00:00 --> 00:01\nHi']])(
    'is left alone: %j',
    (body) => {
      expect(buffered(body)).toBe(body);
    },
  );

  it('means what it meant, plus the cost', () => {
    const usages = fc.dictionary(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()),
        usages,
        fc.nat(2),
        (body, usage, indent) => {
          const sent = JSON.parse(JSON.stringify({ ...body, usage })) as Record<string, unknown>;
          const merged = JSON.parse(buffered(JSON.stringify(sent, null, indent)));
          expect(merged).toEqual({ ...sent, usage: { ...(sent.usage as object), ...MONEY } });
        },
      ),
    );
  });
});

describe('the usage event of a stream', () => {
  it('is the upstream’s, with the cost', () => {
    const merged = event('event: x\r\ndata: {"id":"c","choices":[],"usage":{"prompt_tokens":9}}\r\n\r\n');
    expect(merged).toMatch(
      /^event: x\r\ndata: \{"id":"c","choices":\[\],"usage":\{"prompt_tokens":9,"cost".*\}\}\r\n\r\n$/,
    );
  });

  it('may have been sent on several lines', () => {
    const merged = event('id: 1\ndata: {"choices":[],\ndata: "usage":{"prompt_tokens":9}}\n\n');
    expect(merged).toMatch(/^id: 1\ndata: .*\n\n$/);
    expect(payload(merged)).toMatchObject({ usage: { prompt_tokens: 9, ...MONEY } });
  });

  it('has the cost inside a response, and at the top', () => {
    const merged = payload(
      event(
        'data: {"type":"response.completed","response":{"id":"r","usage":{"input_tokens":9}}}\n\n',
        'responses',
      ),
    );
    expect(merged).toMatchObject({
      response: { id: 'r', usage: { input_tokens: 9, ...MONEY } },
      usage: MONEY,
    });
  });

  it('is made when there was none, in the name of the stream', () => {
    const made = event(undefined, 'chat', [
      ['id', '"chatcmpl-1"'],
      ['created', '1700000000'],
      ['model', '"m\\u00e9"'],
    ]);
    expect(made).toMatch(/^data: \{.*\}\n\n$/);
    expect(payload(made)).toEqual({
      id: 'chatcmpl-1',
      object: 'chat.completion.chunk',
      created: 1_700_000_000,
      model: 'mé',
      choices: [],
      usage: { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11, ...MONEY },
    });
    expect(payload(event(undefined, 'messages'))).toMatchObject({
      type: 'message_delta',
      usage: { output_tokens: 2 },
    });
    expect(payload(event(undefined, 'responses'))).toMatchObject({ type: 'routstr.usage', usage: MONEY });
    expect(
      payload(
        event(undefined, 'chat', [
          ['id', '"\\x"'],
          ['created', 'x'],
        ]),
      ),
    ).toMatchObject({ id: '', created: 0 });
  });

  it('follows an event that can’t be read', () => {
    expect(event('data: {broken\n\n')).toMatch(/^data: \{broken\n\ndata: \{"id"/);
  });
});

describe('an error inside a stream', () => {
  const error = { code: 'insufficient_balance', message: 'Top up and "retry"' };

  it('has the shape that its SDK throws', () => {
    expect(payload(errorEvent('chat', error).toString())).toEqual({
      error: {
        message: 'Top up and "retry"',
        type: 'insufficient_quota',
        code: 'insufficient_balance',
        param: null,
      },
    });
    expect(errorEvent('messages', error).toString()).toMatch(
      /^event: error\ndata: \{"type":"error","error":\{/,
    );
    expect(payload(errorEvent('responses', error).toString())).toMatchObject({
      type: 'error',
      code: 'insufficient_balance',
    });
  });
});
