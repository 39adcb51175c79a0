import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { collect } from '../support/ask.ts';
import { bought, expectBalanced, expectTold } from '../support/books.ts';
import { type Stack, startStack } from '../support/stack.ts';

// The official SDK, unchanged, pays for text. At 100,000 USD/BTC a token of stub-chat costs 1 msat in and 2 msat out.
let stack: Stack;
let key: string;
let client: OpenAI;

beforeAll(async () => {
  stack = await startStack();
  key = await stack.token(4096);
  client = new OpenAI({ baseURL: `${stack.url}/v1`, apiKey: key, maxRetries: 0 });
});
beforeEach(() => stack.model.forget());
afterAll(async () => {
  await expectBalanced(stack);
  await stack[Symbol.asyncDispose]();
});

const messages = [{ role: 'user' as const, content: 'A prompt of thirty-two letters..' }];

function sent(): Record<string, unknown> {
  return JSON.parse(stack.model.requests().at(-1)!.body);
}

test('a chat is charged by its usage, and says so in headers and usage', async () => {
  const sale = await bought(stack, key, () =>
    client.chat.completions.create({ model: 'stub-chat', messages, max_tokens: 20 }).withResponse(),
  );
  const { data, response } = sale.answer;
  expect(data.choices[0]!.message.content).toMatch(/^paid by the token/);
  expect(data.usage).toMatchObject({ prompt_tokens: 8, completion_tokens: 20, total_tokens: 28 });
  expect(sale.charge).toMatchObject({
    msat: 8 * 1 + 20 * 2,
    model: 'stub-chat',
    path: '/v1/chat/completions',
    inputTokens: 8,
    outputTokens: 20,
    estimated: false,
  });
  expectTold(sale, response.headers, data.usage);
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
});

test('a streamed chat arrives whole and ends with its usage and cost', async () => {
  const sale = await bought(stack, key, async () => {
    const stream = await client.chat.completions.create({
      model: 'stub-chat',
      messages,
      max_tokens: 20,
      stream: true,
    });
    return await collect(stream);
  });
  const text = sale.answer.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');
  expect(text).toMatch(/^paid by the token .* paid$/);
  expect(sale.answer.filter((chunk) => chunk.usage)).toHaveLength(1);
  const last = sale.answer.at(-1)!;
  expect(last).toMatchObject({ choices: [], usage: { prompt_tokens: 8, completion_tokens: 20 } });
  expect(sale.charge.msat).toBe(48);
  expectTold(sale, undefined, last.usage);
});

test('a client that asks for no usage is told its cost all the same', async () => {
  const sale = await bought(stack, key, async () => {
    const stream = await client.chat.completions.create({
      model: 'stub-chat',
      messages,
      max_tokens: 4,
      stream: true,
      stream_options: { include_usage: false },
    });
    return await collect(stream);
  });
  expect(sent().stream_options).toEqual({ include_usage: true });
  expectTold(sale, undefined, sale.answer.at(-1)!.usage);
});

test('all of n choices are charged', async () => {
  const sale = await bought(stack, key, () =>
    client.chat.completions.create({ model: 'stub-chat', messages, max_tokens: 10, n: 3 }),
  );
  expect(sale.answer.choices).toHaveLength(3);
  expect(sale.charge.msat).toBe(8 * 1 + 3 * 10 * 2);
  expectTold(sale, undefined, sale.answer.usage);
});

test("tools go to the model as the client wrote them, hosted ones don't", async () => {
  const tools = [
    {
      type: 'function' as const,
      function: { name: 'weather', parameters: { type: 'object', properties: {} } },
    },
  ];
  const sale = await bought(stack, key, () =>
    client.chat.completions.create({ model: 'stub-chat', messages, max_tokens: 5, tools }),
  );
  expect(sent().tools).toEqual(tools);
  expect(sale.charge.msat).toBe(8 * 1 + 5 * 2);

  const hosted = client.responses.create({
    model: 'stub-chat',
    input: 'news?',
    tools: [{ type: 'web_search' }],
  });
  await expect(hosted).rejects.toMatchObject({ status: 400, code: 'invalid_request' });
});

test('what was read from a cache costs less', async () => {
  stack.model.fault('cached=5', 1);
  const sale = await bought(stack, key, () =>
    client.chat.completions.create({ model: 'stub-chat', messages, max_tokens: 10 }),
  );
  // 3 × 1 + 5 × 0.1 + 10 × 2 msat, rounded up once.
  expect(sale.charge.msat).toBe(24);
  expectTold(sale, undefined, sale.answer.usage);
});

test('without a limit the model gets the one that was held', async () => {
  await bought(stack, key, () => client.chat.completions.create({ model: 'stub-chat', messages }));
  expect(sent().max_tokens).toBe(2048);
});

test('a completion of one prompt and of several', async () => {
  const one = await bought(stack, key, () =>
    client.completions
      .create({ model: 'stub-instruct', prompt: 'Once upon a time', max_tokens: 6 })
      .withResponse(),
  );
  expect(one.answer.data.choices[0]!.text).toBe('paid by the token and told');
  expect(one.charge.msat).toBe(4 * 1 + 6 * 2);
  expectTold(one, one.answer.response.headers, one.answer.data.usage);

  const several = await bought(stack, key, () =>
    client.completions.create({ model: 'stub-instruct', prompt: ['aaaa', 'bbbb', 'cccc'], max_tokens: 6 }),
  );
  expect(several.answer.choices).toHaveLength(3);
  expect(several.charge.msat).toBe(3 * 1 + 3 * 6 * 2);
});

test('a streamed completion', async () => {
  const sale = await bought(stack, key, async () => {
    const stream = await client.completions.create({
      model: 'stub-instruct',
      prompt: 'Once upon a time',
      max_tokens: 6,
      stream: true,
    });
    return await collect(stream);
  });
  expect(sale.answer.map(({ choices }) => choices[0]?.text ?? '').join('')).toBe(
    'paid by the token and told',
  );
  expect(sale.charge.msat).toBe(16);
  expectTold(sale, undefined, sale.answer.at(-1)!.usage);
});

test('embeddings: a tenth of a msat a token, rounded up once', async () => {
  const sale = await bought(stack, key, () =>
    client.embeddings
      .create({ model: 'stub-embedding', input: ['a'.repeat(40), 'b'.repeat(44)] })
      .withResponse(),
  );
  const { data, response } = sale.answer;
  expect(data.data.map(({ embedding }) => embedding.length)).toEqual([8, 8]);
  expect(data.usage.prompt_tokens).toBe(21);
  expect(sale.charge.msat).toBe(3);
  expectTold(sale, response.headers, data.usage);
});

test('a response', async () => {
  const sale = await bought(stack, key, () =>
    client.responses
      .create({ model: 'stub-chat', input: 'A prompt of thirty-two letters..', max_output_tokens: 20 })
      .withResponse(),
  );
  const { data, response } = sale.answer;
  expect(data.output_text).toMatch(/^paid by the token/);
  expect(sale.charge).toMatchObject({ msat: 8 * 1 + 20 * 2, path: '/v1/responses', estimated: false });
  expectTold(sale, response.headers, data.usage);
  expect(sent().store).toBe(false);
});

test('a streamed response has its cost in the event that completes it', async () => {
  const sale = await bought(stack, key, async () => {
    const stream = await client.responses.create({ model: 'stub-chat', input: 'say it', stream: true });
    return await collect(stream);
  });
  const last = sale.answer.at(-1)!;
  if (last.type !== 'response.completed') throw new Error(last.type);
  expect(last.response.output_text ?? JSON.stringify(last.response.output)).toContain('paid by the token');
  expect(sale.charge.msat).toBe(2 * 1 + 24 * 2);
  expectTold(sale, undefined, last.response.usage);
});

test('stored answers and conversations are refused', async () => {
  const request = { model: 'stub-chat', input: 'say it' };
  for (const unbounded of [
    { store: true },
    { background: true },
    { previous_response_id: 'resp_1' },
    { conversation: 'conv_1' },
    { input: [{ role: 'user' as const, content: [{ type: 'input_file' as const, file_id: 'file-1' }] }] },
  ]) {
    await expect(client.responses.create({ ...request, ...unbounded })).rejects.toMatchObject({
      status: 400,
      code: 'invalid_request',
    });
  }
  expect(stack.model.requests()).toEqual([]);
});

test('a moderation is charged per request', async () => {
  const sale = await bought(stack, key, () =>
    client.moderations.create({ model: 'stub-moderation', input: 'violence' }).withResponse(),
  );
  expect(sale.answer.data.results[0]!.flagged).toBe(true);
  expect(sale.charge.msat).toBe(10);
  const { usage } = sale.answer.data as unknown as { usage: unknown };
  expectTold(sale, sale.answer.response.headers, usage);
});

test('the SDK lists the models and reads their prices', async () => {
  const models = await collect(await client.models.list());
  expect(models.find(({ id }) => id === 'stub-chat')).toMatchObject({
    object: 'model',
    pricing: { prompt: 0.000001, completion: 0.000002 },
    sats_pricing: { completion: 0.002, max_cost: 8192 * 0.001 + 2048 * 0.001 },
    top_provider: { max_completion_tokens: 2048 },
  });
  await expect(client.models.retrieve('openai/gpt-image-2')).resolves.toMatchObject({
    id: 'openai/gpt-image-2',
  });
  await expect(client.models.retrieve('nobody/knows')).rejects.toMatchObject({ status: 404 });
});
