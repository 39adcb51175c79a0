import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRequest } from './read-request.ts';
import { RequestError } from './request-error.ts';

const CHAT = '/v1/chat/completions';
const read = (body: unknown, path = CHAT) =>
  readRequest(path, 'application/json', Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));
const refusal = (body: unknown, path = CHAT): string => {
  try {
    read(body, path);
  } catch (error) {
    expect(error).toBeInstanceOf(RequestError);
    return (error as RequestError).code;
  }
  return 'taken';
};
const chat = (more: object = {}) => ({
  model: 'm',
  messages: [{ role: 'user', content: 'x'.repeat(300) }],
  ...more,
});

describe('what a request asks for', () => {
  it('is read from a chat', () => {
    expect(read(chat({ stream: true, max_tokens: 7, n: 3 }))).toMatchObject({
      family: 'chat',
      model: 'm',
      stream: true,
      maxTokens: 7,
      copies: 3,
      estimateInput: 100,
      images: 0,
      audioSeconds: 0,
    });
  });

  it('is the largest limit, under whatever name', () => {
    expect(read(chat({ max_tokens: 5, max_completion_tokens: 9, max_output_tokens: 7 })).maxTokens).toBe(9);
    expect(read(chat({ max_tokens: 5, n_predict: 2000 })).maxTokens).toBe(2000);
    expect(read(chat({ max_tokens: null })).maxTokens).toBeUndefined();
    expect(read(chat({ max_tokens: 0 })).maxTokens).toBe(0);
  });

  it.each([
    [{ prompt: 'a' }, 1],
    [{ prompt: ['a', 'b', 'c'] }, 3],
    [{ prompt: [1, 2, 3] }, 1],
    [{ prompt: [[1, 2], [3]] }, 2],
    [{ prompt: ['a', 'b'], n: 2, best_of: 5 }, 10],
    [{ prompt: [] }, 1],
  ])('counts completions: %j', (body, copies) => {
    expect(read({ model: 'm', ...body }, '/v1/completions').copies).toBe(copies);
  });

  it('takes the model from the input when it stands there', () => {
    expect(read({ input: { model: 'deep', prompt: 'x' } }, '/v1/embeddings').model).toBe('deep');
    expect(refusal({ model: 'a', input: { model: 'b' } }, '/v1/embeddings')).toBe('invalid_request');
    expect(refusal('{"input":{"model":"a","model":"b"}}', '/v1/embeddings')).toBe('invalid_request');
  });

  it.each([
    ['/v1/chat/completions', 'chat'],
    ['/chat/completions', 'chat'],
    ['/v1/rerank', 'rerank'],
    ['/v1/own/path', 'extra'],
    ['/v1/v1/chat/completions', 'extra'],
  ])('depends on the path: %s is %s', (path, family) => {
    expect(read(chat(), path).family).toBe(family);
  });

  it('is a token at least, however little there is to read', () => {
    expect(read({ model: 'm', input: '' }, '/v1/audio/speech').estimateInput).toBe(1);
    expect(read({ model: 'm', input: [] }, '/v1/embeddings').estimateInput).toBe(1);
  });

  it('is nothing for an extra path, whose body may be anything', () => {
    expect(readRequest('/v1/own', 'text/plain', Buffer.from('{')).estimateInput).toBe(0);
  });

  it('bounds speech by the length of its text', () => {
    expect(read({ model: 'm', input: 'x'.repeat(100) }, '/v1/audio/speech').audioSeconds).toBe(20);
    expect(read({ model: 'm', input: 'x'.repeat(100), speed: 0.25 }, '/v1/audio/speech').audioSeconds).toBe(
      80,
    );
  });
});

describe('the prompt estimate', () => {
  const estimate = (body: object, path = CHAT) => read({ model: 'm', ...body }, path).estimateInput;

  it.each([
    ['a text', { prompt: 'x'.repeat(30) }, '/v1/completions', 10],
    ['rounding up', { prompt: 'x'.repeat(31) }, '/v1/completions', 11],
    ['token ids', { prompt: [[1, 2, 3], [4]] }, '/v1/completions', 4],
    ['several inputs', { input: ['x'.repeat(30), 'y'.repeat(30)] }, '/v1/embeddings', 20],
    ['instructions', { instructions: 'x'.repeat(30), input: 'y'.repeat(30) }, '/v1/responses', 20],
    [
      'a system prompt',
      { system: [{ type: 'text', text: 'x'.repeat(30) }], messages: [] },
      '/v1/messages',
      10,
    ],
    [
      'the query once a document',
      { query: 'x'.repeat(30), documents: ['y'.repeat(30), 'z'.repeat(30)] },
      '/v1/rerank',
      40,
    ],
  ])('counts %s', (_, body, path, tokens) => {
    expect(estimate(body, path)).toBe(tokens);
  });

  it('counts what tools say, names included', () => {
    const tools = [
      { type: 'function', function: { name: 'x'.repeat(300), parameters: { ['y'.repeat(300)]: {} } } },
    ];
    expect(estimate({ messages: [], tools })).toBeGreaterThan(200);
  });

  it.each([
    [
      'chat',
      {
        messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://x/y.png' } }] }],
      },
      CHAT,
    ],
    [
      'chat',
      {
        messages: [
          {
            role: 'user',
            content: [{ type: 'image_url', image_url: `data:image/png;base64,${'A'.repeat(9000)}` }],
          },
        ],
      },
      CHAT,
    ],
    [
      'responses',
      { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'https://x' }] }] },
      '/v1/responses',
    ],
    [
      'messages',
      {
        messages: [
          {
            role: 'user',
            content: [
              { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'A'.repeat(9000) } },
            ],
          },
        ],
      },
      '/v1/messages',
    ],
    [
      'messages',
      {
        messages: [
          {
            role: 'user',
            content: [
              {
                type: 'tool_result',
                content: [{ type: 'image', source: { type: 'url', url: 'https://x' } }],
              },
            ],
          },
        ],
      },
      '/v1/messages',
    ],
  ])('takes 765 an image, by address or by bytes: %s', (_, body, path) => {
    expect(estimate(body, path)).toBeGreaterThanOrEqual(766);
    expect(estimate(body, path)).toBeLessThan(775);
  });

  it('lets no text hide, and no list of empty messages be free', () => {
    expect(estimate({ messages: [{ role: 'x'.repeat(300), content: '' }] })).toBeGreaterThanOrEqual(100);
    expect(estimate({ messages: [], chat_template: 'x'.repeat(300) })).toBeGreaterThanOrEqual(100);
    expect(estimate({ messages: Array.from({ length: 50 }, () => ({ role: 'user', content: '' })) })).toBe(
      50,
    );
  });
});

describe('refused', () => {
  it.each([
    ['{"model":"a","model":"b"}'],
    ['{"model":"a","\\u006dodel":"b"}'],
    ['{"model":"a","Model":"b"}'],
    ['{"model":"a","max_tokens":1,"max_to\u212aens":9}'],
    ['{"model":"a","Max_Tokens":9}'],
    ['{"model":"a","meſsages":[],"messages":[]}'],
    ['{"model":"a","stream":false,"stream":true}'],
    ['{"model":"a","n":1,"n":9}'],
    ['{"model":"a","messages":[],"messages":[]}'],
    ['{"model":"a","Previous_Response_Id":"x"}'],
  ])('is a body that two parsers read differently: %s', (body) => {
    expect(refusal(body)).toBe('invalid_request');
  });

  it.each([
    [''],
    ['[]'],
    ['null'],
    ['{'],
    ['{"model":"m"}x'],
    ['\ufeff{"model":"m"}'],
    ['{"model":"m","messages":[nul]}'],
  ])('is no JSON object: %j', (body) => expect(refusal(body)).toBe('invalid_json'));

  it('is bad UTF-8', () => {
    const bytes = Buffer.from([...Buffer.from('{"model":"m","mod'), 0xff, ...Buffer.from('el":"x"}')]);
    expect(() => readRequest(CHAT, 'application/json', bytes)).toThrow(RequestError);
  });

  it.each([
    [{ max_tokens: -1 }],
    [{ max_tokens: 1.5 }],
    [{ max_tokens: '5' }],
    [{ max_tokens: 1e300 }],
    [{ max_tokens: true }],
    [{ max_completion_tokens: [] }],
    [{ n_predict: -1 }],
    [{ n: 0 }],
    [{ n: 1.5 }],
    [{ n: 1e9 }],
    [{ best_of: '2' }],
    [{ stream: 'true' }],
    [{ stream: 1 }],
    [{ model: '' }],
    [{ model: 5 }],
    [{ model: 'x'.repeat(257) }],
  ])('is a number or a flag that is none: %j', (more) => {
    expect(refusal(chat(more))).toBe('invalid_request');
  });

  it.each([
    [{ background: true }],
    [{ previous_response_id: 'resp_1' }],
    [{ conversation: 'conv_1' }],
    [{ store: true }],
    [{ prompt: { id: 'pmpt_1' } }],
    [{ tools: [{ type: 'web_search' }] }],
    [{ tools: [{ type: 'file_search', vector_store_ids: ['vs'] }] }],
    [{ tools: [{ type: 'mcp', server_url: 'https://x' }] }],
    [{ input: [{ type: 'item_reference', id: 'msg_1' }] }],
    [{ input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'file_1' }] }] }],
    [{ input: [{ role: 'user', content: [{ type: 'input_image', file_id: 'file_1' }] }] }],
    [
      {
        input: [
          { type: 'function_call_output', call_id: 'c', output: [{ type: 'input_file', file_url: 'u' }] },
        ],
      },
    ],
  ])('is a response that pulls in what is not in its body: %j', (more) => {
    expect(refusal({ model: 'm', input: 'x', ...more }, '/v1/responses')).toBe('invalid_request');
  });

  it.each([
    [{ web_search_options: {} }],
    [{ modalities: ['text', 'audio'], audio: { voice: 'alloy' } }],
    [{ service_tier: 'priority' }],
    [{ models: ['dear'] }],
    [{ messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: 'f' } }] }] }],
    [{ messages: [{ role: 'user', content: [{ type: 'video_url', video_url: { url: 'https://x' } }] }] }],
    [
      {
        messages: [
          { role: 'user', content: [{ type: 'document', source: { type: 'url', url: 'https://x' } }] },
        ],
      },
    ],
  ])('is what has no worst case: %j', (more) => {
    expect(refusal(chat(more))).toBe('invalid_request');
  });

  it.each([
    [{ background: false, store: false, previous_response_id: null, conversation: null }],
    [
      {
        tools: [{ type: 'function', name: 'f', parameters: { properties: { file_id: { type: 'string' } } } }],
      },
    ],
    [{ tools: [{ type: 'custom', name: 'f' }], service_tier: 'auto' }],
  ])('but not what is harmless: %j', (more) => {
    expect(refusal({ model: 'm', input: 'x', ...more }, '/v1/responses')).toBe('taken');
  });

  it.each([
    ['text/plain', 'invalid_request'],
    ['application/json; charset=utf-16', 'invalid_request'],
    ['multipart/form-data; boundary=x', 'invalid_request'],
    ['application/x-www-form-urlencoded', 'invalid_request'],
    ['application/json; charset=UTF-8', 'taken'],
    [undefined, 'taken'],
  ])('is another content type: %s is %s', (type, result) => {
    const attempt = () => readRequest(CHAT, type, Buffer.from(JSON.stringify(chat())));
    if (result === 'taken') expect(attempt().model).toBe('m');
    else expect(attempt).toThrow(RequestError);
  });
});

describe('any body at all', () => {
  const paths = fc.constantFrom(
    'chat/completions',
    'completions',
    'embeddings',
    'responses',
    'messages',
    'rerank',
  );
  const harmless = (path: string, body: Buffer) => {
    try {
      const facts = readRequest(`/v1/${path}`, 'application/json', body);
      expect(Number.isSafeInteger(facts.estimateInput) && facts.estimateInput >= 0).toBe(true);
      expect(Number.isSafeInteger(facts.copies) && facts.copies >= 1).toBe(true);
    } catch (error) {
      expect(error).toBeInstanceOf(RequestError);
    }
  };

  it('is read or refused: bytes', () => {
    fc.assert(
      fc.property(paths, fc.uint8Array({ maxLength: 200 }), (path, bytes) =>
        harmless(path, Buffer.from(bytes)),
      ),
    );
  });

  it('is read or refused: any JSON under the names that are read', () => {
    const names = fc.constantFrom(
      'model',
      'messages',
      'input',
      'prompt',
      'tools',
      'n',
      'max_tokens',
      'stream',
      'system',
    );
    const content = fc.array(
      fc.dictionary(fc.constantFrom('type', 'content', 'source', 'image_url', 'text'), fc.jsonValue()),
    );
    const bodies = fc.dictionary(names, fc.oneof(fc.jsonValue(), content, fc.constant('m')));
    fc.assert(
      fc.property(paths, bodies, (path, body) =>
        harmless(path, Buffer.from(JSON.stringify({ model: 'm', ...body }))),
      ),
      { numRuns: 500 },
    );
  });

  it('is refused when it is deep or made of too many objects', () => {
    expect(refusal(`{"model":"m","messages":${'['.repeat(1e6)}`)).toBe('invalid_json');
    expect(refusal(`{"model":"m","messages":[${'{},'.repeat(200_000)}{}]}`)).toBe('invalid_json');
  });
});
