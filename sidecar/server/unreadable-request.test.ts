import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { type FastifyInstance, fastify } from 'fastify';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { UnreadableRequests } from './unreadable-request.ts';

let server: FastifyInstance;
let refused: number[];
let answer: PromiseWithResolvers<void>;

beforeEach(async () => {
  refused = [];
  answer = Promise.withResolvers();
  const unreadable = new UnreadableRequests((status) => refused.push(status));
  server = fastify({ clientErrorHandler: unreadable.onClientError });
  unreadable.watch(server);
  server.get('/slow', async () => {
    await answer.promise;
    return 'done';
  });
  await server.listen({ host: '127.0.0.1', port: 0 });
});
afterEach(async () => {
  answer.resolve();
  await server.close();
});

/** All that comes back until the server closes. */
async function send(bytes: string): Promise<string> {
  const socket = connect((server.server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(bytes);
  return text(socket);
}

test.each([
  ['no HTTP at all', '\x16\x03\x01\r\n\r\n', 400, 'invalid_request'],
  [
    'two lengths',
    'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    400,
    'invalid_request',
  ],
  [
    'more headers than fit',
    `GET / HTTP/1.1\r\nHost: a\r\nX-A: ${'a'.repeat(100_000)}\r\n\r\n`,
    431,
    'invalid_request',
  ],
  ['an expectation', 'GET /slow HTTP/1.1\r\nHost: a\r\nExpect: gold\r\n\r\n', 417, 'invalid_request'],
  ['a tunnel', 'CONNECT evil.example:443 HTTP/1.1\r\nHost: a\r\n\r\n', 404, 'not_found'],
])('%s is refused in the shape of all errors, and the connection ends', async (_, bytes, status, code) => {
  const [head, body] = (await send(bytes)).split('\r\n\r\n');
  expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} .*\r\nconnection: close\r\n`));
  const { error, detail, request_id } = JSON.parse(body!);
  expect(error).toEqual({ type: 'invalid_request_error', code, message: expect.any(String) });
  expect(detail).toEqual({ error });
  expect(head).toContain(`x-routstr-request-id: ${request_id}`);
  expect(refused).toEqual([status]);
});

test('what can’t be read behind a request that still runs ends the connection without an answer', async () => {
  expect(await send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\nnonsense\r\n\r\n')).toBe('');
});
