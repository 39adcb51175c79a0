import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { MintClient } from './mint-client.ts';

const patient = new AbortController().signal;
const opened: (MintClient | Server)[] = [];
const time = { ms: Date.now() };

afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  opened.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function clientOf(url: string): MintClient {
  const client = new MintClient({ url, clock: () => time.ms, timeout: 500 });
  opened.unshift(client);
  return client;
}

describe('what a failed call lets us assume', () => {
  const secret = 'bearer-money';
  const cases: [string, RequestListener, object][] = [
    [
      'a refusal',
      (_, res) => res.writeHead(400).end('{"detail":"no","code":11001}'),
      { failure: 'refused', mintCode: 11001 },
    ],
    [
      'a refusal without a code',
      (_, res) => res.writeHead(422).end('{"detail":"no"}'),
      { failure: 'refused', mintCode: undefined },
    ],
    ['a refusal by something else', (_, res) => res.writeHead(403).end('<html>'), { failure: 'unknown' }],
    [
      'a server error',
      (_, res) => res.writeHead(500).end('{"detail":"no","code":1}'),
      { failure: 'unknown' },
    ],
    ['a redirect', (_, res) => res.writeHead(307, { location: '/' }).end(), { failure: 'unknown' }],
    ['a web page', (_, res) => res.writeHead(200).end('<html>'), { failure: 'unknown' }],
    ['an empty answer', (_, res) => res.writeHead(200).end(), { failure: 'unknown' }],
    ['a created thing', (_, res) => res.writeHead(201).end('{}'), { failure: 'unknown' }],
    ['no answer', () => {}, { failure: 'unknown' }],
    [
      'half an answer',
      (_, res) => res.writeHead(200, { 'content-length': 9 }).write('{"a"', () => res.destroy()),
      { failure: 'unknown' },
    ],
    ['an answer without end', (_, res) => endless(res), { failure: 'unknown' }],
    ['a hang-up', (req) => req.socket.destroy(), { failure: 'unknown' }],
  ];

  test.each(cases)('%s', async (_, listener, expected) => {
    const client = clientOf(await serve(listener));
    const failed: Error = await client.post('/v1/swap', { secret }, patient).then(
      () => new Error('succeeded'),
      (error) => error,
    );
    expect(failed).toMatchObject(expected);
    expect(`${failed.message} ${JSON.stringify(failed)} ${failed.cause}`).not.toContain(secret);
  });

  function endless(response: { write(chunk: string): boolean; destroyed: boolean }): void {
    const timer = setInterval(
      () => (response.destroyed ? clearInterval(timer) : response.write('x'.repeat(100_000))),
      1,
    );
  }

  test('nobody there, no such name, hung up on: nothing was sent', async () => {
    const gone = createTcpServer().listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const { port } = gone.address() as AddressInfo;
    gone.close();
    await once(gone, 'close');
    const notSent = { failure: 'not_sent' };
    await expect(clientOf(`http://127.0.0.1:${port}`).get('/', patient)).rejects.toMatchObject(notSent);
    await expect(clientOf('http://no-such-mint.invalid').get('/', patient)).rejects.toMatchObject(notSent);
    await expect(clientOf(`http://127.0.0.1:${port}`).get('/', AbortSignal.abort())).rejects.toMatchObject(
      notSent,
    );
  });
});

test('a mint under a path is asked under it', async () => {
  const url = await serve((request, response) => response.end(JSON.stringify({ path: request.url })));
  expect(await clientOf(`${url}/bitcoin`).get('/v1/info', patient)).toEqual({ path: '/bitcoin/v1/info' });
});

test('a busy mint is left alone for as long as it asked', async () => {
  let asked = 0;
  const url = await serve((_, response) => {
    asked += 1;
    response.writeHead(429, { 'retry-after': '30' }).end();
  });
  const client = clientOf(url);
  await expect(client.get('/', patient)).rejects.toMatchObject({ failure: 'rate_limited', retryAfter: 30 });
  time.ms += 20_000;
  await expect(client.get('/', patient)).rejects.toMatchObject({ failure: 'not_sent', retryAfter: 10 });
  expect(asked).toBe(1);
  time.ms += 10_000;
  await expect(client.get('/', patient)).rejects.toMatchObject({ failure: 'rate_limited' });
  expect(asked).toBe(2);
});

describe('a mint with a public name', () => {
  async function reach(addresses: string[]) {
    const listening = await serve((_, response) => response.end('1'));
    const client = new MintClient({
      url: listening.replace('127.0.0.1', 'mint.example.com'),
      clock: () => time.ms,
      timeout: 500,
      resolve: (_host, _options, callback) =>
        callback(
          null,
          addresses.map((address) => ({ address, family: 4 })),
        ),
    });
    opened.unshift(client);
    return client.get('/', patient);
  }

  test.each([[['127.0.0.1']], [['169.254.169.254']], [['10.0.0.1', '127.0.0.1']], [[]]])(
    'that turns to %j is not connected to',
    async (addresses) => {
      await expect(reach(addresses)).rejects.toMatchObject({
        failure: 'not_sent',
        message: expect.stringContaining('private network'),
      });
    },
  );
});

test('a mint that is listed as localhost is', async () => {
  const url = await serve((_, response) => response.end('1'));
  expect(await clientOf(url.replace('127.0.0.1', 'localhost')).get('/', patient)).toBe(1);
});
