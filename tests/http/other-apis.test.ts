import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ask, events } from '../support/ask.ts';
import { bought, expectBalanced, expectTold } from '../support/books.ts';
import { expectError } from '../support/expect-error.ts';
import { type Stack, startStack } from '../support/stack.ts';

// Anthropic's messages, Cohere's rerank and a provider's own paths: what the OpenAI SDK does not speak.
let stack: Stack;
let key: string;

beforeAll(async () => {
  stack = await startStack({
    env: {
      EXTRA_PATHS: JSON.stringify([
        { path: '/v1/models', method: 'POST', sats: '1' },
        { path: '/health', method: 'GET', sats: '2.5' },
      ]),
    },
  });
  key = await stack.token(4096);
});
beforeEach(() => stack.model.forget());
afterAll(async () => {
  await expectBalanced(stack);
  await stack[Symbol.asyncDispose]();
});

const question = {
  model: 'stub-chat',
  max_tokens: 12,
  system: 'Eight...',
  messages: [{ role: 'user', content: 'Eight...' }],
};
const anthropic = () => ({ 'x-api-key': key, 'anthropic-version': '2023-06-01' });

interface Message {
  content: { text: string }[];
  usage: object;
}

test('a message, paid by x-api-key', async () => {
  const sale = await bought(stack, key, () =>
    ask(`${stack.url}/v1/messages`, { headers: anthropic(), body: question }),
  );
  expect(sale.answer.status).toBe(200);
  const message = sale.answer.json<Message>();
  expect(message.content[0]!.text).toMatch(/^paid by the token/);
  expect(message.usage).toMatchObject({ input_tokens: 4, output_tokens: 12 });
  expect(sale.charge).toMatchObject({ msat: 4 * 1 + 12 * 2, path: '/v1/messages', estimated: false });
  expectTold(sale, sale.answer.headers, message.usage);
  const { headers } = stack.model.requests().at(-1)!;
  expect(headers).toMatchObject({ 'x-api-key': 'upstream-credential', 'anthropic-version': '2023-06-01' });
});

test('tokens read from and written to a cache have their own prices', async () => {
  stack.model.fault('cached=2,cachewrite=1', 1);
  const sale = await bought(stack, key, () =>
    ask(`${stack.url}/v1/messages`, { headers: anthropic(), body: question }),
  );
  // 1 × 1 + 2 × 0.1 + 1 × 1 + 12 × 2 msat.
  expect(sale.charge.msat).toBe(27);
  expectTold(sale, sale.answer.headers, sale.answer.json<Message>().usage);
});

test('a streamed message has its cost in message_delta, and ends with message_stop', async () => {
  const sale = await bought(stack, key, () =>
    ask(`${stack.url}/v1/messages`, { headers: anthropic(), body: { ...question, stream: true } }),
  );
  expect(sale.answer.headers.get('content-type')).toMatch(/^text\/event-stream/);
  const all = events<{ type: string; usage?: object; delta?: { text?: string } }>(sale.answer.text);
  const types = all.map((event) => (event === '[DONE]' ? event : event.type));
  expect(types[0]).toBe('message_start');
  expect(types.slice(-2)).toEqual(['message_delta', 'message_stop']);
  expect(types.filter((type) => type === 'content_block_delta')).toHaveLength(12);
  const delta = all.at(-2) as { usage: object };
  expect(delta.usage).toMatchObject({ output_tokens: 12 });
  expect(sale.charge.msat).toBe(28);
  expectTold(sale, undefined, delta.usage);
});

test('a rerank', async () => {
  const body = {
    model: 'stub-rerank',
    query: 'paid tokens',
    documents: ['free beer', 'tokens that are paid'],
  };
  const sale = await bought(stack, key, () => ask(`${stack.url}/v1/rerank`, { key, body }));
  const answer = sale.answer.json<{ results: { index: number }[]; usage: object }>();
  expect(answer.results.map(({ index }) => index)).toEqual([1, 0]);
  expect(sale.charge).toMatchObject({ msat: 100, path: '/v1/rerank', estimated: false });
  expectTold(sale, sale.answer.headers, answer.usage);
});

test('every path also works without /v1', async () => {
  const sale = await bought(stack, key, () =>
    ask(`${stack.url}/messages`, { headers: anthropic(), body: question }),
  );
  expect(sale.charge.msat).toBe(28);
  expect(stack.model.requests().at(-1)!.path).toBe('/v1/messages');
});

test("a provider's own path costs its price, whatever it answers", async () => {
  stack.model.fault('success=201', 1);
  const sale = await bought(stack, key, () => ask(`${stack.url}/health`, { key }));
  expect(sale.answer.json()).toEqual({ status: 'ok' });
  expect(sale.charge).toMatchObject({ msat: 2500, path: '/health' });
  expect(sale.answer.headers.get('x-routstr-cost-msats')).toBe('2500');
});

test("a provider's own path that the model does not know costs nothing", async () => {
  const before = stack.model.requests().length;
  const answer = await ask(`${stack.url}/v1/models`, { key, body: { any: 'thing' } });
  expect(stack.model.requests().length).toBe(before + 1);
  expect(stack.model.requests().at(-1)).toMatchObject({ method: 'POST', path: '/v1/models' });
  expectError(answer, 404, 'upstream_error', 'upstream_rejected');
  expect(answer.headers.get('x-routstr-cost-msats')).toBeNull();
});

test('an extra path is sold only by the method it is listed with', async () => {
  expectError(await ask(`${stack.url}/health`, { key, body: {} }), 404, 'invalid_request_error', 'not_found');
});
