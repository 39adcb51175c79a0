import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type Server,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, chat } from '../support/ask.ts';
import { account, expectBalanced } from '../support/books.ts';
import { type Stack, startStack } from '../support/stack.ts';

// What crosses from the client to the model, and back.
let upstream: Server;
let received: IncomingMessage[];
let stack: Stack;
let key: string;

const answered = { id: 'x', usage: { prompt_tokens: 1, completion_tokens: 1 } };

beforeAll(async () => {
  received = [];
  upstream = createServer(async (incoming, response) => {
    const text = Buffer.concat(await incoming.toArray()).toString();
    received.push(incoming);
    const streamed = text.includes('"stream":true');
    const body = streamed
      ? `data: ${JSON.stringify({ ...answered, choices: [] })}\n\ndata: [DONE]\n\n`
      : JSON.stringify(answered);
    response.writeHead(200, {
      'content-type': streamed ? 'text/event-stream' : 'application/json',
      connection: 'keep-alive, x-of-this-hop',
      'x-of-this-hop': 'no',
      'keep-alive': 'timeout=9',
      'set-cookie': ['session=upstream', 'b=c'],
      server: 'upstream/1.0',
      'x-powered-by': 'somebody',
      'proxy-authenticate': 'Basic',
      'alt-svc': 'h3=":443"',
      'strict-transport-security': 'max-age=1',
      'x-cashu': 'cashuBfromUpstream',
      'x-routstr-request-id': 'theirs',
      'x-routstr-cost-msats': '1',
      'x-routstr-anything': 'theirs',
      'access-control-allow-origin': 'https://upstream.example',
      'x-model-version': '7',
      'openai-processing-ms': '12',
    });
    response.end(body);
  }).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { port } = upstream.address() as AddressInfo;
  stack = await startStack({ env: { UPSTREAM_BASE_URL: `http://127.0.0.1:${port}/v1` } });
  key = (await account(stack, await stack.token(256))).api_key;
});
afterAll(async () => {
  await expectBalanced(stack);
  await stack[Symbol.asyncDispose]();
  upstream.closeAllConnections();
  upstream.close();
});

/** Sends headers that `fetch` would not. */
async function send(headers: Record<string, string>, more: object = {}): Promise<IncomingHttpHeaders> {
  const before = received.length;
  const sent = request(`${stack.url}/v1/chat/completions`, {
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json', ...headers },
  }).end(JSON.stringify(chat(8, more)));
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const text = Buffer.concat(await response.toArray()).toString();
  expect(response.statusCode, text).toBe(200);
  const forwarded = received.slice(before).filter(({ method }) => method === 'POST');
  expect(forwarded).toHaveLength(1);
  return forwarded[0]!.headers;
}

test("a customer's credential, cookies and traces of proxies stay here", async () => {
  const seen = await send({
    authorization: `Bearer ${key}`,
    cookie: 'session=mine',
    'proxy-authorization': 'Basic x',
    'x-forwarded-for': '203.0.113.7',
    'x-forwarded-host': 'shop.example',
    'x-real-ip': '203.0.113.7',
    forwarded: 'for=203.0.113.7',
    via: '1.1 somewhere',
    origin: 'https://shop.example',
    referer: 'https://shop.example/',
    'idempotency-key': 'again',
    'accept-encoding': 'gzip, br',
    'x-anything': 'else',
    te: 'trailers',
    upgrade: 'h2c',
    expect: '100-continue',
    'key-expiry-time': '4000000000',
    'refund-lnurl': 'me@example.com',
    'x-routstr-anything': 'mine',
  });
  expect(Object.keys(seen).sort()).toEqual([
    'accept-encoding',
    'authorization',
    'connection',
    'content-length',
    'content-type',
    'host',
  ]);
  expect(seen.authorization).toBe('Bearer upstream-credential');
  expect(seen['accept-encoding']).toBe('identity');
  expect(JSON.stringify(seen)).not.toContain(key.slice(3));
});

test('what the model needs to know goes on', async () => {
  const known = {
    accept: 'application/json',
    'openai-organization': 'org',
    'openai-beta': 'assistants=v2',
    'anthropic-version': '2023-06-01',
    'anthropic-beta': 'tools',
    'x-stainless-lang': 'js',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    tracestate: 'a=b',
  };
  expect(await send({ authorization: `Bearer ${key}`, ...known })).toMatchObject(known);
});

test('a key in x-api-key and a token in X-Cashu stay here as well', async () => {
  const anthropic = await send({ 'x-api-key': key, 'anthropic-version': '2023-06-01' });
  expect(anthropic['x-api-key']).toBe('upstream-credential');
  const token = await stack.token(32);
  const once = await send({ 'x-cashu': token, authorization: 'Bearer sk-other' });
  expect(once).not.toHaveProperty('x-cashu');
  expect(JSON.stringify([anthropic, once])).not.toMatch(new RegExp(`${key}|${token}|sk-other`));
});

test('a header that Connection names is for this hop only', async () => {
  const seen = await send({
    authorization: `Bearer ${key}`,
    connection: 'close, OpenAI-Organization, traceparent',
    'openai-organization': 'org',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    'openai-project': 'stays',
  });
  expect(seen).not.toHaveProperty('openai-organization');
  expect(seen).not.toHaveProperty('traceparent');
  expect(seen['openai-project']).toBe('stays');
  expect(seen.authorization).toBe('Bearer upstream-credential');
});

test('Connection can not take away what pays, or what is ours', async () => {
  const seen = await send({
    authorization: `Bearer ${key}`,
    connection: 'close, authorization, content-length, content-type',
  });
  expect(seen.authorization).toBe('Bearer upstream-credential');
  expect(Number(seen['content-length'])).toBeGreaterThan(0);
});

test.each([false, true])(
  "of the model's headers only its own reach the client (stream: %s)",
  async (stream) => {
    const answer = await ask(`${stack.url}/v1/chat/completions`, { key, body: chat(8, { stream }) });
    for (const name of [
      'x-of-this-hop',
      'set-cookie',
      'server',
      'x-powered-by',
      'proxy-authenticate',
      'alt-svc',
      'strict-transport-security',
      'x-cashu',
      'x-routstr-anything',
    ]) {
      expect(answer.headers.get(name), name).toBeNull();
    }
    expect(answer.headers.get('x-routstr-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('x-model-version')).toBe('7');
    expect(answer.headers.get('openai-processing-ms')).toBe('12');
    expect(answer.headers.get('x-routstr-cost-msats')).toBe(stream ? null : '3');
    if (!stream) expect(answer.headers.get('content-length')).toBe(String(Buffer.byteLength(answer.text)));
  },
);

test('every answer has a request id of its own', async () => {
  const seen = new Set<string>();
  const paths = [
    '/v1/info',
    '/v1/models',
    '/models/stub-chat',
    '/nothing',
    '/v1//x',
    '/v1/wallet/info',
    '/v1/providers',
  ];
  for (const path of paths) {
    const answer = await ask(stack.url + path, { headers: { 'x-routstr-request-id': 'mine' } });
    const id = answer.headers.get('x-routstr-request-id');
    expect(id, path).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    seen.add(id!);
  }
  expect(seen.size).toBe(paths.length);
});
