import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Ask, ask, chat } from '../support/ask.ts';
import { account, charges, expectBalanced } from '../support/books.ts';
import { expectError } from '../support/expect-error.ts';
import { type Stack, startStack } from '../support/stack.ts';

// What a client has to mend: never reaches the model, costs nothing, and says what is wrong.
let stack: Stack;
let key: string;

beforeAll(async () => {
  stack = await startStack({ env: { BODY_LIMIT_BYTES: '4096' } });
  key = await stack.token(128);
  await account(stack, key);
});
afterAll(async () => {
  expect(stack.model.requests().filter(({ method }) => method === 'POST')).toEqual([]);
  expect(charges(stack)).toEqual([]);
  await expectBalanced(stack);
  await stack[Symbol.asyncDispose]();
});

const invalid = 'invalid_request_error';

function form(fields: Record<string, string>): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  return data;
}

test.each<[string, string, Ask]>([
  ['half of a JSON', 'invalid_json', { body: '{"model":"stub-chat"' }],
  ['no JSON object', 'invalid_json', { body: '["stub-chat"]' }],
  ['nothing', 'invalid_json', { body: '' }],
  ['broken UTF-8', 'invalid_json', { body: Buffer.from('{"model":"stub-chat\xff"}', 'latin1') }],
  ['a model that is not for sale', 'invalid_model', { body: chat(8, { model: 'gpt-17' }) }],
  ['no model', 'invalid_request', { body: { messages: [] } }],
  ['more tokens than the model makes', 'invalid_request', { body: chat(2049) }],
  ['a negative limit', 'invalid_request', { body: chat(-1) }],
  ['half a token', 'invalid_request', { body: chat(0.5) }],
  ['a limit as text', 'invalid_request', { body: chat(8, { max_tokens: '8' }) }],
  ['no copies', 'invalid_request', { body: chat(8, { n: 0 }) }],
  [
    'two models',
    'invalid_request',
    { body: '{"model":"stub-chat","messages":[],"model":"openai/gpt-image-2"}' },
  ],
  ['two limits of one name', 'invalid_request', { body: '{"model":"stub-chat","n":1,"\\u006e":900}' }],
  ['stream as text', 'invalid_request', { body: chat(8, { stream: 'true' }) }],
  ['a search of the web', 'invalid_request', { body: chat(8, { web_search_options: {} }) }],
  [
    'another content type',
    'invalid_request',
    { body: JSON.stringify(chat()), headers: { 'content-type': 'text/plain' } },
  ],
  ['a form instead of JSON', 'invalid_request', { body: form({ model: 'stub-chat' }) }],
])('%s is 400 %s', async (_, code, request) => {
  const headers = { ...(typeof request.body === 'string' && { 'content-type': 'application/json' }) };
  const answer = await ask(`${stack.url}/v1/chat/completions`, {
    key,
    ...request,
    headers: { ...headers, ...request.headers },
  });
  expectError(answer, 400, invalid, code);
});

test("an unknown model's name is in the message that clients look for", async () => {
  const answer = await ask(`${stack.url}/v1/chat/completions`, { key, body: chat(8, { model: 'gpt-17' }) });
  expect(expectError(answer, 400, invalid, 'invalid_model').message).toBe("Model 'gpt-17' not found");
});

test.each<[string, FormData]>([
  ['no model', form({ prompt: 'a hat' })],
  ['a model that is no text', form({ model: 'stub-image', n: 'many' })],
])('a form with %s is 400', async (_, body) => {
  expectError(await ask(`${stack.url}/v1/images/edits`, { key, body }), 400, invalid, 'invalid_request');
});

test('a body over the limit is 413, whether it says its length or not', async () => {
  const body = JSON.stringify(chat(8, { user: 'x'.repeat(5000) }));
  const stated = await ask(`${stack.url}/v1/chat/completions`, {
    key,
    body,
    headers: { 'content-type': 'application/json' },
  });
  expectError(stated, 413, invalid, 'request_too_large');

  const chunked = await fetch(`${stack.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: new Blob([body]).stream(),
    duplex: 'half',
  });
  const text = await chunked.text();
  expectError(
    { ...stated, status: chunked.status, headers: chunked.headers, text, json: () => JSON.parse(text) },
    413,
    invalid,
    'request_too_large',
  );
});

test('a compressed body is 415', async () => {
  const answer = await ask(`${stack.url}/v1/chat/completions`, {
    key,
    body: gzipSync(JSON.stringify(chat())),
    headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
  });
  expectError(answer, 415, invalid, 'unsupported_content_encoding');
});

test('a credential is looked at before the body', async () => {
  const url = `${stack.url}/v1/chat/completions`;
  const body = 'x'.repeat(5000);
  expectError(await ask(url, { body }), 402, 'minimum_balance_required', 'payment_required');
  expectError(await ask(url, { key: 'sk-nobody', body }), 401, invalid, 'invalid_api_key');
});
