import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ModelServer, startModel } from './server.ts';

let server: ModelServer;

beforeAll(async () => {
  server = await startModel({ port: 0 });
});
afterAll(() => server.close());

function ask(fault: string, stream = false, signal?: AbortSignal): Promise<Response> {
  return fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({
      model: 'stub-chat',
      messages: [{ role: 'user', content: `Hello [[fault:${fault}]]` }],
      max_tokens: 50,
      stream,
      stream_options: { include_usage: true },
    }),
    headers: { 'content-type': 'application/json' },
    ...(signal && { signal }),
  });
}
async function usage(fault: string): Promise<unknown> {
  const { usage } = (await (await ask(fault)).json()) as { usage?: { completion_tokens: unknown } };
  return usage ? usage.completion_tokens : usage;
}

it.each([
  ['status=500', 500, /server_error/],
  ['status=429', 429, /rate_limit_error/],
  ['status=404', 404, /invalid_request_error/],
  ['html=502', 502, /<!doctype html>/],
  ['success=201', 201, /chat\.completion/],
  ['success=206', 206, /chat\.completion/],
  ['broken', 200, /^\{(?!.*\}$)/],
  ['huge=100000', 200, /x{100000}/],
  ['gzip', 200, /chat\.completion/],
  ['slow=20', 200, /chat\.completion/],
])('answers %s', async (fault, status, body) => {
  const response = await ask(fault);
  expect(response.status).toBe(status);
  expect(await response.text()).toMatch(body);
});

it.each([
  ['none', undefined],
  ['null', null],
  ['negative', -25],
  ['float', 24.5],
  ['string', '24'],
  ['zero', 0],
  ['huge', 1e21],
])('reports usage as %s', async (kind, count) => {
  expect(await usage(`usage=${kind}`)).toEqual(count);
  const streamed = await (await ask(`usage=${kind}`, true)).text();
  if (kind === 'negative') expect(streamed).toContain('"completion_tokens":-25');
  if (kind === 'none') expect(streamed).not.toContain('usage');
});

it.each(['reset=before', 'reset=headers', 'reset=40', 'length=10'])('breaks off: %s', async (fault) => {
  await expect(ask(fault).then((response) => response.text())).rejects.toThrow();
});

it('breaks a stream off after some events', async () => {
  server.forget();
  const response = await ask('reset=5', true);
  let text = '';
  await expect(async () => {
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString();
  }).rejects.toThrow();
  expect(text.match(/data: /g)).toHaveLength(5);
  expect(server.requests()).toMatchObject([{ outcome: 'cut', sentEvents: 5 }]);
});

it.each([
  ['crlf', /^data: .*\r\n\r\n/],
  ['heartbeat', /^: keep-alive\n\ndata: /],
  ['nodone', /\}\n\n$/],
  ['error', /"server_error".*\n\n$/],
  ['broken', /^(data: .*\n\n){2}data: \{(?!.*\}\n)/],
  ['split', /data: \[DONE\]\n\n$/],
  ['gzip', /data: \[DONE\]\n\n$/],
  ['tokens=60', /"finish_reason":"length"/],
  ['overrun=60', /"completion_tokens":60/],
  ['cached=2', /"cached_tokens":2/],
])('streams %s', async (fault, text) => {
  expect(await (await ask(fault, true)).text()).toMatch(text);
});

it('writes a stream byte by byte', async () => {
  const response = await ask('split,tokens=1', true);
  const reader = response.body?.getReader();
  const first = await reader?.read();
  expect(first?.value?.length).toBeLessThan(50);
  await reader?.cancel();
});

it('never ends, until the client leaves', async () => {
  server.forget();
  const leave = new AbortController();
  const response = await ask('endless,drip=1', true, leave.signal);
  const reader = response.body?.getReader();
  for (let n = 0; n < 100; n++) await reader?.read();
  leave.abort();
  await expect.poll(() => server.requests()[0]?.outcome).toBe('aborted');
});

it('takes a fault from the header, the model’s name, and for the next requests', async () => {
  const post = (model: string, headers = {}) =>
    fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ model, messages: [] }),
    }).then((response) => response.status);
  expect(await post('m', { 'x-stub-fault': 'status=503' })).toBe(503);
  expect(await post('m!status=502')).toBe(502);
  const control = { method: 'POST', body: JSON.stringify({ fault: 'status=500', times: 2 }) };
  await fetch(`${server.url}/control`, control);
  expect([await post('m'), await post('m'), await post('m')]).toEqual([500, 500, 200]);
  server.fault('status=500');
  server.fault('');
  expect(await post('m')).toBe(200);
});
