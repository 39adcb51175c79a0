import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask } from '../support/ask.ts';
import { expectError } from '../support/expect-error.ts';
import { type Stack, startStack } from '../support/stack.ts';

// Who sells what: free, and without a credential.
let stack: Stack;

beforeAll(async () => {
  stack = await startStack({
    env: {
      NAME: 'The shop',
      DESCRIPTION: 'Sells tokens',
      HTTP_URL: 'https://shop.example',
      CHILD_KEY_COST_MSAT: '1500',
      EXTRA_PATHS: '[{"path":"/v1/pooling","sats":"2"}]',
    },
  });
});
afterAll(() => stack[Symbol.asyncDispose]());

test('/v1/info', async () => {
  const answer = await ask(`${stack.url}/v1/info`);
  expect(answer.json()).toEqual({
    name: 'The shop',
    description: 'Sells tokens',
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    npub: null,
    mints: [stack.mint.url],
    http_url: 'https://shop.example',
    onion_url: null,
    child_key_cost_msats: 1500,
    supported_endpoints: [
      '/v1/chat/completions',
      '/v1/completions',
      '/v1/embeddings',
      '/v1/responses',
      '/v1/messages',
      '/v1/images/generations',
      '/v1/images/edits',
      '/v1/images/variations',
      '/v1/audio/transcriptions',
      '/v1/audio/translations',
      '/v1/audio/speech',
      '/v1/moderations',
      '/v1/rerank',
      '/v1/pooling',
    ],
  });
});

test('the catalogue, under both names, with all that clients prepay by', async () => {
  const list = await ask(`${stack.url}/v1/models`);
  expect((await ask(`${stack.url}/models`)).text).toBe(list.text);
  const { object, data } = list.json<{ object: string; data: { id: string }[] }>();
  expect(object).toBe('list');
  const model = data.find(({ id }) => id === 'stub-chat');
  const prices = (sats: number) => ({
    prompt: 1e-6 * sats,
    completion: 2e-6 * sats,
    image: 0,
    web_search: 0,
    internal_reasoning: 2e-6 * sats,
    input_cache_read: 1e-7 * sats,
    input_cache_write: 1e-6 * sats,
    max_prompt_cost: 8192e-6 * sats,
    max_completion_cost: 4096e-6 * sats,
    // 6,144 tokens in and 2,048 out.
    max_cost: (6144 + 4096) * 1e-6 * sats,
  });
  expect(model).toMatchObject({
    object: 'model',
    owned_by: expect.any(String),
    name: 'Stub: chat',
    created: 1_763_769_600,
    context_length: 8192,
    architecture: { modality: 'text+image->text', output_modalities: ['text'] },
    per_request_limits: null,
    top_provider: { context_length: 8192, max_completion_tokens: 2048, is_moderated: false },
    enabled: true,
    canonical_slug: 'stub-chat',
    alias_ids: [],
  });
  for (const [field, sats] of [
    ['pricing', 1],
    ['sats_pricing', 1000],
  ] as const) {
    const shown = (model as unknown as Record<string, Record<string, number>>)[field]!;
    for (const [name, value] of Object.entries(prices(sats))) {
      expect(shown[name], `${field}.${name}`).toBeCloseTo(value, 9);
    }
  }
});

test('one model, also one whose id has a slash, escaped or not', async () => {
  for (const path of [
    '/v1/models/openai/gpt-image-2',
    '/v1/models/openai%2Fgpt-image-2',
    '/models/gpt-image-2',
  ]) {
    expect((await ask(stack.url + path)).json(), path).toMatchObject({ id: 'openai/gpt-image-2' });
  }
  const unknown = await ask(`${stack.url}/v1/models/gpt-17`);
  const error = expectError(unknown, 404, 'invalid_request_error', 'invalid_model');
  expect(error.message).toBe("Model 'gpt-17' not found");
});

test('nobody else is known without a wallet', async () => {
  for (const path of ['/v1/providers', '/v1/providers/', '/v1/providers?include_json=true']) {
    expect((await ask(stack.url + path)).json()).toEqual({ providers: [] });
  }
});
