import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { collect } from '../support/ask.ts';
import { bought, expectBalanced, expectTold } from '../support/books.ts';
import { type Stack, startStack } from '../support/stack.ts';

// Pictures and sound by the official SDK. At 100,000 USD/BTC a picture costs 10 sats and a second of audio 100 msat.
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

/** Silence: 8 kHz, 16 bit, one channel. */
function wav(seconds: number): Buffer {
  const data = Buffer.alloc(seconds * 16_000);
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + data.length, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(8000, 24);
  header.writeUInt32LE(16_000, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36);
  header.writeUInt32LE(data.length, 40);
  return Buffer.concat([header, data]);
}

const recording = () => toFile(wav(3), 'speech.wav', { type: 'audio/wav' });
const picture = () => toFile(Buffer.alloc(2000, 7), 'dot.png', { type: 'image/png' });

test('pictures are charged for each one made', async () => {
  const sale = await bought(stack, key, () =>
    client.images.generate({ model: 'stub-image', prompt: 'a cat', n: 2 }).withResponse(),
  );
  const { data, response } = sale.answer;
  expect(data.data).toHaveLength(2);
  expect(data.data![0]!.b64_json).toMatch(/^iVBOR/);
  expect(sale.charge).toMatchObject({ msat: 20_000, path: '/v1/images/generations' });
  expectTold(sale, response.headers, data.usage);
});

test('an edit and a variation of an uploaded picture', async () => {
  const edit = await bought(stack, key, async () =>
    client.images
      .edit({ model: 'stub-image', image: await picture(), prompt: 'a hat on it', n: 3 })
      .withResponse(),
  );
  expect(edit.answer.data.data).toHaveLength(3);
  expect(edit.charge).toMatchObject({ msat: 30_000, path: '/v1/images/edits' });
  expectTold(edit, edit.answer.response.headers, edit.answer.data.usage);

  const variation = await bought(stack, key, async () =>
    client.images.createVariation({ model: 'stub-image', image: await picture() }),
  );
  expect(variation.answer.data).toHaveLength(1);
  expect(variation.charge).toMatchObject({ msat: 10_000, path: '/v1/images/variations' });
  expect(stack.model.requests().at(-1)!.bodyBytes).toBeGreaterThan(2000);
});

test('a model that sells pictures by the token', async () => {
  const sale = await bought(stack, key, () =>
    client.images.generate({ model: 'gpt-image-2', prompt: 'a cat of sixteen' }),
  );
  // 4 × 5 msat of prompt and 272 × 30 msat of picture.
  expect(sale.charge.msat).toBe(4 * 5 + 272 * 30);
  expectTold(sale, undefined, sale.answer.usage);
});

test('a transcription as JSON is charged by the second', async () => {
  const sale = await bought(stack, key, async () =>
    client.audio.transcriptions
      .create({ model: 'stub-transcribe', file: await recording(), language: 'en' })
      .withResponse(),
  );
  const { data, response } = sale.answer;
  expect(data.text).toMatch(/^paid by the token/);
  expect(sale.charge).toMatchObject({ msat: 300, path: '/v1/audio/transcriptions', estimated: false });
  expectTold(sale, response.headers, data.usage);
});

test.each(['text', 'srt', 'vtt'] as const)('a transcription as %s is passed on as it is', async (format) => {
  const sale = await bought(stack, key, async () =>
    client.audio.transcriptions
      .create({ model: 'stub-transcribe', file: await recording(), response_format: format })
      .withResponse(),
  );
  const { data, response } = sale.answer;
  expect(data).toContain('paid by the token');
  expect(data).not.toContain('cost');
  expect(response.headers.get('content-type')).toMatch(/^text\//);
  // It does not say how long it was: as long as its text takes to speak, three seconds at most.
  expect(sale.charge.estimated).toBe(true);
  expect(sale.charge.msat).toBeGreaterThan(0);
  expect(sale.charge.msat).toBeLessThanOrEqual(400);
  expectTold(sale, response.headers, undefined);
});

test('a streamed transcription', async () => {
  const sale = await bought(stack, key, async () =>
    collect(
      await client.audio.transcriptions.create({
        model: 'stub-transcribe',
        file: await recording(),
        stream: true,
      }),
    ),
  );
  const last = sale.answer.at(-1)!;
  if (last.type !== 'transcript.text.done') throw new Error(last.type);
  expect(last.text).toMatch(/^paid by the token/);
  expect(sale.charge.msat).toBe(300);
  expectTold(sale, undefined, last.usage);
});

test('a translation', async () => {
  const sale = await bought(stack, key, async () =>
    client.audio.translations.create({ model: 'stub-transcribe', file: await recording() }).withResponse(),
  );
  expect(sale.answer.data.text).toMatch(/^paid by the token/);
  expect(sale.charge).toMatchObject({ msat: 300, path: '/v1/audio/translations' });
  const { usage } = sale.answer.data as unknown as { usage: unknown };
  expectTold(sale, sale.answer.response.headers, usage);
});

test('speech comes through byte by byte, with its cost in the headers', async () => {
  const sale = await bought(stack, key, () =>
    client.audio.speech.create({ model: 'stub-speech', voice: 'alloy', input: 'Twelve chars' }),
  );
  const sound = Buffer.from(await sale.answer.arrayBuffer());
  expect(sound).toEqual(Buffer.alloc(12_000, 0x55));
  expect(sale.answer.headers.get('content-length')).toBe('12000');
  expect(sale.answer.headers.get('content-type')).toBe('audio/mpeg');
  // Nobody reports tokens of speech: twelve characters are three, at 10 msat each.
  expect(sale.charge).toMatchObject({ msat: 30, estimated: true });
  expectTold(sale, sale.answer.headers, undefined);
});
