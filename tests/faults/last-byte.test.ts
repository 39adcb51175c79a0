import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, type Stack, startStack } from '../support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack[Symbol.asyncDispose]());

async function bodyBytes(): Promise<number> {
  const metrics = await (await fetch(`${stack.admin}/metrics`)).text();
  return Number(/^routstr_body_bytes (\S+)$/m.exec(metrics)?.[1]);
}

test('an upload that is broken off gives its memory back', async () => {
  const key = await stack.token(64);
  const { port } = new URL(stack.url);
  for (let n = 0; n < 5; n++) {
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => {});
    const head = [`POST /v1/chat/completions HTTP/1.1`, 'host: x', `authorization: Bearer ${key}`];
    socket.write(`${head.join('\r\n')}\r\ncontent-type: application/json\r\ncontent-length: 900000\r\n\r\n`);
    socket.write(Buffer.alloc(800_000, ' '));
    await sleep(20);
    socket.destroy();
  }
  await eventually(async () => expect(await bodyBytes()).toBe(0));
});

test('a large body without any money behind it is refused before it is taken', async () => {
  const answer = await fetch(`${stack.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer sk-${'a'.repeat(64)}`, 'content-type': 'application/json' },
    body: Buffer.alloc(4 * 1024 * 1024, ' '),
  });
  expect(answer.status).toBe(401);
});

test('SIGTERM waits until a large answer is wholly read', async () => {
  const key = await stack.token(64);
  const size = 20_000_000;
  const answer = await fetch(`${stack.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'stub-chat',
      max_tokens: 8,
      messages: [{ role: 'user', content: `[[fault:huge=${size}]]` }],
    }),
  });
  expect(answer.status).toBe(200);
  const stopped = stack.stop();
  await sleep(300);
  const body = await answer.arrayBuffer();
  expect(body.byteLength).toBe(Number(answer.headers.get('content-length')));
  expect(body.byteLength).toBeGreaterThan(size / 2);
  expect(await stopped).toBe(0);
  expect((await stack.audit()).balanced).toBe(true);
});
