import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { Client } from './client.ts';

const stall = 300;
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** Both ends of one answer. */
async function answer(): Promise<{ client: Client; received: IncomingMessage }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => server.close().closeAllConnections());
  const asked = get({ port: (server.address() as AddressInfo).port, agent: false });
  asked.on('error', () => {});
  const [, response] = (await once(server, 'request')) as [IncomingMessage, ServerResponse];
  response.flushHeaders();
  const [received] = (await once(asked, 'response')) as [IncomingMessage];
  received.on('error', () => {});
  return { client: new Client(response, stall), received };
}

const much = [Buffer.alloc(16e6)];

it('one that leaves its answer unread counts as gone', async () => {
  const { client } = await answer();
  const gone = new Promise<void>((resolve) => client.onGone(resolve));
  expect(client.write(much, () => {})).toBe(false);
  await gone;
  expect(client.gone).toBe(true);
});

it('one that fell behind and caught up does not, however often it was written to meanwhile', async () => {
  const { client, received } = await answer();
  const drained = new Promise<void>((resolve) => {
    client.write(much, () => {});
    client.write(much, resolve);
  });
  received.resume();
  await drained;
  await sleep(2 * stall);
  expect(client.gone).toBe(false);
});
