import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ModelServer, startModel } from './server.ts';

let server: ModelServer;
let openai: OpenAI;
const hello = [{ role: 'user' as const, content: 'Say hello to the world.' }];

beforeAll(async () => {
  server = await startModel({ port: 0 });
  openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0 });
});
afterAll(() => server.close());

async function post(path: string, body: object): Promise<Response> {
  return fetch(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

describe('chat', () => {
  it('counts its tokens and keeps to max_tokens', async () => {
    const ask = { model: 'stub-chat', messages: hello, max_tokens: 5, n: 2 };
    const answer = await openai.chat.completions.create(ask);
    expect(answer.choices.map((choice) => choice.finish_reason)).toEqual(['length', 'length']);
    expect(answer.choices[0]?.message.content?.split(' ')).toHaveLength(5);
    expect(answer.usage).toMatchObject({ prompt_tokens: 6, completion_tokens: 10, total_tokens: 16 });
    expect(await openai.chat.completions.create(ask)).toEqual(answer);
  });

  it('streams the same text, with usage only when asked', async () => {
    const whole = await openai.chat.completions.create({ model: 'stub-chat', messages: hello });
    for (const include_usage of [true, false]) {
      let text = '';
      let completion: number | undefined;
      const stream = await openai.chat.completions.create({
        model: 'stub-chat',
        messages: hello,
        stream: true,
        stream_options: { include_usage },
      });
      for await (const chunk of stream) {
        text += chunk.choices[0]?.delta.content ?? '';
        completion = chunk.usage?.completion_tokens ?? completion;
      }
      expect(text).toBe(whole.choices[0]?.message.content);
      expect(completion).toBe(include_usage ? whole.usage?.completion_tokens : undefined);
    }
  });

  it('counts as it goes for vLLM’s continuous_usage_stats', async () => {
    const options = { include_usage: true, continuous_usage_stats: true };
    const ask = { model: 'stub-chat', messages: hello, max_tokens: 4, stream: true, stream_options: options };
    const text = await (await post('/v1/chat/completions', ask)).text();
    const counts = [...text.matchAll(/"completion_tokens":(\d+)/g)].map(([, count]) => Number(count));
    expect(counts).toEqual([0, 1, 2, 3, 4, 4, 4]);
  });

  it('thinks before it answers, if it is a reasoning model', async () => {
    const answer = await openai.chat.completions.create({ model: 'stub-reasoning', messages: hello });
    expect(answer.usage?.completion_tokens_details?.reasoning_tokens).toBe(8);
  });
});

it('completes every prompt n times', async () => {
  const answer = await openai.completions.create({
    model: 'stub-instruct',
    prompt: ['one', 'two'],
    n: 2,
    best_of: 3,
    max_tokens: 4,
  });
  expect(answer.choices.map((choice) => choice.index)).toEqual([0, 1, 2, 3]);
  expect(answer.usage).toMatchObject({ prompt_tokens: 2, completion_tokens: 24 });
});

it('answers the Responses API, whole and streamed', async () => {
  const ask = { model: 'stub-chat', input: 'Say hello to the world.', max_output_tokens: 3 };
  const answer = await openai.responses.create(ask);
  expect(answer).toMatchObject({
    status: 'incomplete',
    output_text: 'paid by the',
    usage: { input_tokens: 6, output_tokens: 3 },
  });
  const events = [];
  for await (const event of await openai.responses.create({ ...ask, stream: true })) events.push(event);
  expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index));
  expect(events.at(-1)).toMatchObject({
    type: 'response.incomplete',
    response: { usage: { output_tokens: 3 } },
  });
});

it('answers Anthropic’s messages, whole and streamed', async () => {
  const ask = { model: 'stub-chat!cached=4,cachewrite=1', messages: hello, max_tokens: 100 };
  const answer = await (await post('/v1/messages', ask)).json();
  expect(answer).toMatchObject({
    stop_reason: 'end_turn',
    usage: {
      input_tokens: 1,
      cache_read_input_tokens: 4,
      cache_creation_input_tokens: 1,
      output_tokens: 24,
    },
  });
  const text = await (await post('/v1/messages', { ...ask, stream: true })).text();
  expect(text).toMatch(/^event: message_start\ndata: .*\n\nevent: content_block_start\n/);
  expect(text).toMatch(/event: message_delta\ndata: .*"output_tokens":24.*\n\nevent: message_stop\n/);
});

it('embeds texts and token ids', async () => {
  const answer = await openai.embeddings.create({ model: 'stub-embedding', input: ['one', 'two two'] });
  expect(answer.data.map((item) => item.embedding.length)).toEqual([8, 8]);
  expect(answer.usage.prompt_tokens).toBe(3);
  const ids = await openai.embeddings.create({ model: 'stub-embedding', input: [1, 2, 3], dimensions: 2 });
  expect(ids.data[0]?.embedding).toHaveLength(2);
  expect(ids.usage.prompt_tokens).toBe(3);
});

it('makes, edits and varies pictures', async () => {
  const image = await toFile(Buffer.from('png'), 'a.png', { type: 'image/png' });
  const made = await openai.images.generate({ model: 'stub-image', prompt: 'a cat', n: 3 });
  expect(made.data).toHaveLength(3);
  const edited = await openai.images.edit({ model: 'stub-gpt-image', image, prompt: 'a dog', n: 2 });
  expect(edited.usage?.output_tokens).toBe(544);
  const varied = await openai.images.createVariation({ model: 'stub-image', image });
  expect(varied.data?.[0]?.b64_json).toBeDefined();
});

it('hears and speaks', async () => {
  const spoken = await openai.audio.speech.create({
    model: 'stub-speech',
    voice: 'alloy',
    input: 'hello there',
  });
  expect(spoken.headers.get('content-type')).toBe('audio/mpeg');
  const sound = Buffer.from(await spoken.arrayBuffer());
  expect(sound).toHaveLength(11_000);
  const ask = { model: 'stub-transcribe', file: await toFile(sound, 'a.mp3') };
  const heard = await openai.audio.transcriptions.create(ask);
  expect(heard).toMatchObject({ usage: { type: 'duration', seconds: 1 } });
  const subtitles = await openai.audio.translations.create({ ...ask, response_format: 'srt' });
  expect(subtitles).toContain('00:00:00,000 --> 00:00:01,000');
});

it('judges and ranks', async () => {
  const verdict = await openai.moderations.create({ model: 'stub-moderation', input: ['peace', 'violence'] });
  expect(verdict.results.map((result) => result.flagged)).toEqual([false, true]);
  const ranked = await post('/v1/rerank', {
    model: 'stub-rerank',
    query: 'red fox',
    documents: ['a cat', 'a fox'],
  });
  expect(await ranked.json()).toMatchObject({ results: [{ index: 1, relevance_score: 0.5 }, { index: 0 }] });
});

it('lists its models and says that it is well', async () => {
  const models = await openai.models.list();
  expect(models.data.map((model) => model.id)).toContain('stub-chat');
  expect((await fetch(`${server.url}/health`)).status).toBe(200);
});

it.each([
  ['/v1/chat/completions', { model: 'stub-chat' }, 400],
  ['/v1/chat/completions', { messages: [] }, 400],
  ['/v1/chat/completions', { model: 'm', messages: [], max_tokens: -1 }, 400],
  ['/v1/chat/completions', { model: 'm!nonsense', messages: [] }, 400],
  ['/v1/unknown', {}, 404],
])('%s %j is refused', async (path, body, status) => {
  expect((await post(path, body)).status).toBe(status);
});

it('remembers what it received', async () => {
  server.forget();
  await fetch(`${server.url}/v1/models`, { headers: { cookie: 'a=b' } });
  await openai.chat.completions.create({ model: 'stub-chat', messages: hello });
  const answer = await fetch(`${server.url}/control/requests`);
  const { requests } = (await answer.json()) as { requests: { body: string }[] };
  expect(requests).toMatchObject([
    { path: '/v1/models', headers: { cookie: 'a=b' }, outcome: 'finished' },
    { path: '/v1/chat/completions', headers: { authorization: 'Bearer none' }, outcome: 'finished' },
  ]);
  expect(JSON.parse(requests[1]?.body ?? '')).toMatchObject({ model: 'stub-chat', messages: hello });
});
