import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, ask, chat } from '../support/ask.ts';
import { account, charges, expectBalanced } from '../support/books.ts';
import { expectError } from '../support/expect-error.ts';
import { type Stack, startStack } from '../support/stack.ts';

// Only what is for sale can be reached, under exactly one spelling.
let stack: Stack;
let key: string;

beforeAll(async () => {
  stack = await startStack();
  key = await stack.token(128);
  await account(stack, key);
});
afterAll(async () => {
  expect(stack.model.requests().filter(({ path }) => path !== '/v1/models')).toEqual([]);
  expect(charges(stack)).toEqual([]);
  await expectBalanced(stack);
  await stack[Symbol.asyncDispose]();
});

/** Sends a paid chat to a target exactly as written, which `fetch` would put right. */
async function raw(method: string, target: string): Promise<Answer> {
  const { hostname, port } = new URL(stack.url);
  const body = JSON.stringify(chat());
  const sent = request({
    hostname,
    port,
    method,
    path: target,
    agent: false,
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    },
  }).end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const text = Buffer.concat(await response.toArray()).toString();
  const headers = new Headers(Object.entries(response.headers) as [string, string][]);
  return { status: response.statusCode!, headers, text, json: () => JSON.parse(text) };
}

test.each([
  '/',
  '/v1',
  '/v1/',
  '/v1/files',
  '/v1/assistants',
  '/v1/chat/completions/',
  '/v1/chat/completions/more',
  '/v1/chat',
  '/v2/chat/completions',
  '/v1/v1/chat/completions',
  '/v1/Chat/Completions',
  '/V1/chat/completions',
  '/v1/chat/completions.json',
  '/v1/chat%2fcompletions',
  '/v1/chat/%63ompletions',
  '/v1/%2e/chat/completions',
  '/v1/%2e%2e/v1/chat/completions',
  '/%76%31/chat/completions',
  '/v1/chat/completions%00',
  '/v1/chat/completions%20',
  '//v1/chat/completions',
  '/v1//chat/completions',
  '/v1/chat//completions',
  '/v1/./chat/completions',
  '/v1/files/../chat/completions',
  '/v1/chat/completions/..',
  '/v1/chat/completions;a=b',
  '/v1;a=b/chat/completions',
  '/v1/chat\\completions',
  '/v1/chat/completions#top',
  '/v1/models/%2e%2e/chat/completions',
  '/livez',
  '/metrics',
  '/drain',
  '/control',
])('POST %s is 404', async (path) => {
  expectError(await raw('POST', path), 404, 'invalid_request_error', 'not_found');
});

test('an absolute target is 404, also one that names this very server', async () => {
  for (const origin of ['http://example.com', 'http://127.0.0.1:1', stack.url, stack.model.url]) {
    const answer = await raw('POST', `${origin}/v1/chat/completions`);
    expectError(answer, 404, 'invalid_request_error', 'not_found');
  }
});

test.each(['GET', 'PUT', 'PATCH', 'DELETE', 'HEAD'])('%s of a paid path is 404', async (method) => {
  const answer = await raw(method, '/v1/chat/completions');
  expect(answer.status).toBe(404);
  if (method !== 'HEAD') expectError(answer, 404, 'invalid_request_error', 'not_found');
});

test('a tunnel is refused', async () => {
  const { hostname, port } = new URL(stack.url);
  const sent = request({ hostname, port, method: 'CONNECT', path: 'example.com:443', agent: false }).end();
  const outcome = await new Promise<number | string>((resolve) => {
    sent.once('connect', ({ statusCode }: IncomingMessage) => resolve(statusCode!));
    sent.once('response', ({ statusCode }) => resolve(statusCode!));
    sent.once('error', () => resolve('closed'));
  });
  expect(outcome === 'closed' || Number(outcome) >= 400, String(outcome)).toBe(true);
});

test('a query is no part of a path, and no credential is read from it', async () => {
  const token = await stack.token(64);
  for (const name of ['key', 'api_key', 'token', 'cashu', 'x-cashu', 'authorization', 'access_token']) {
    const query = `?${name}=${encodeURIComponent(token)}`;
    const paid = await ask(`${stack.url}/v1/chat/completions${query}`, { body: chat() });
    expectError(paid, 402, 'minimum_balance_required', 'payment_required');
    const info = await ask(`${stack.url}/v1/wallet/info${query}`);
    expectError(info, 401, 'invalid_request_error', 'missing_api_key');
  }
  await account(stack, token);
});
