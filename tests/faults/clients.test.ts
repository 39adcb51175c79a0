import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Recorded } from '../../sqlite-dev/model/recorder.ts';
import { ask, chat } from '../support/ask.ts';
import { account, charges, expectBalanced } from '../support/books.ts';
import { eventually, type Stack, startStack } from '../support/stack.ts';
import { chatsAsked, faulty, free, keyWith, perToken, prompt, spentSince } from './money.ts';
import { openStream, send } from './paid-stream.ts';

let stack: Stack;
let key: string;
let before: number;

beforeAll(async () => {
  stack = await startStack();
  key = await keyWith(stack, 100_000);
});
beforeEach(async () => {
  stack.model.forget();
  before = (await account(stack, key)).balance;
});
afterAll(async () => {
  await expectBalanced(stack);
  await stack[Symbol.asyncDispose]();
});

describe('a client that leaves', () => {
  it('in the middle of a stream pays for what it got, and the model stops', async () => {
    const stream = await openStream(stack.url, key, faulty('drip=20,tokens=200', 200, { stream: true }));
    await stream.until(8);
    stream.leave();
    await eventually(() => expect(upstream().outcome).toBe('aborted'));
    const spent = await spentSince(stack, key, before);
    expect(spent).toBeGreaterThanOrEqual(prompt + stream.arrivals.length * perToken);
    expect(spent).toBeLessThanOrEqual(prompt + upstream().sentEvents * perToken);
    expect(spent).toBeLessThan(prompt + 200 * perToken);
    expect(charges(stack).at(-1)).toMatchObject({ msat: spent, estimated: true });
  });

  it.each([true, false])('before the first byte (stream: %s) pays for the prompt', async (stream) => {
    const sent = send(stack.url, key, faulty('hang', 200, { stream }));
    sent.on('error', () => {});
    await eventually(() => expect(upstream().outcome).toBe('running'));
    sent.destroy();
    await eventually(() => expect(upstream().outcome).toBe('aborted'));
    const spent = await spentSince(stack, key, before);
    expect(spent).toBeGreaterThan(0);
    // As counted here: never more than the hold assumed.
    expect(spent).toBeLessThanOrEqual(prompt);
    expect(charges(stack).at(-1)).toMatchObject({ msat: spent, outputMsat: 0, estimated: true });
  });

  it('before a buffered answer is whole pays for the prompt', async () => {
    const halfway = await upstreamThatStopsHalfway();
    const other = await startStack({ env: { UPSTREAM_BASE_URL: `${halfway.url}/v1` } });
    const token = await other.token(100);
    for (const status of [200, 400]) {
      const { balance } = await account(other, token);
      const known = charges(other).length;
      const sent = send(other.url, token, chat(8, { user: String(status) }));
      sent.on('error', () => {});
      await halfway.waiting();
      await eventually(async () => expect((await account(other, token)).reserved).toBeGreaterThan(0));
      sent.destroy();
      await halfway.aborted();
      const spent = await spentSince(other, token, balance);
      if (status === 200) {
        expect(spent).toBeGreaterThan(0);
        expect(spent).toBeLessThanOrEqual(prompt);
      } else expect(spent).toBe(0);
      expect(charges(other).length - known).toBe(status === 200 ? 1 : 0);
    }
    await expectBalanced(other);
    await other[Symbol.asyncDispose]();
    await halfway.close();
  });

  it('while its money is being set aside pays nothing', async () => {
    const token = await stack.token(100);
    stack.mint.fault({ kind: 'delay', path: 'POST /v1/swap', when: 'before', ms: 400, times: 1 });
    const swaps = stack.mint.hits('POST /v1/swap');
    const sent = send(stack.url, token, chat());
    sent.on('error', () => {});
    await eventually(() => expect(stack.mint.hits('POST /v1/swap')).toBe(swaps + 1));
    sent.destroy();
    await eventually(async () =>
      expect(await account(stack, token)).toMatchObject({ balance: 99_000, reserved: 0, total_spent: 0 }),
    );
    expect(chatsAsked(stack)).toEqual([]);
  });

  it('of many at once: each is charged, none is left running', async () => {
    const streams = await Promise.all(
      Array.from({ length: 20 }, () =>
        openStream(stack.url, key, faulty('drip=20,tokens=200', 200, { stream: true })),
      ),
    );
    const known = charges(stack).length;
    await Promise.all(
      streams.map(async (stream, n) => {
        await stream.until(n % 10);
        stream.leave();
      }),
    );
    const spent = await spentSince(stack, key, before);
    const new20 = charges(stack).slice(known);
    expect(new20).toHaveLength(20);
    for (const { msat } of new20) expect(msat).toBeGreaterThan(0);
    expect(new20.reduce((sum, { msat }) => sum + msat, 0)).toBe(spent);
    await eventually(() =>
      expect(chatsAsked(stack).every(({ outcome }) => outcome === 'aborted')).toBe(true),
    );
  });
});

describe('a client that does not read', () => {
  it('holds up the model, not the memory, and pays for what was sent to it', async () => {
    const residentBefore = await resident(stack.sidecar.pid!);
    const streams = await Promise.all(
      Array.from({ length: 4 }, () =>
        openStream(stack.url, key, faulty('endless', 2048, { stream: true }), { deaf: true }),
      ),
    );
    // What the kernel keeps on both hops, and not a byte more.
    const total = await standstill(() =>
      chatsAsked(stack).reduce((sum, { sentBytes }) => sum + sentBytes, 0),
    );
    expect(total / streams.length).toBeLessThan(24e6);
    expect((await resident(stack.sidecar.pid!)) - residentBefore).toBeLessThan(64e6);

    const [first, ...others] = streams;
    first!.listen();
    await first!.until(2000);
    for (const stream of [first!, ...others]) stream.leave();
    const spent = await spentSince(stack, key, before);
    const sentTokens = chatsAsked(stack).reduce((sum, { sentEvents }) => sum + sentEvents, 0);
    expect(spent).toBeGreaterThanOrEqual(first!.arrivals.length * perToken);
    expect(spent).toBeLessThanOrEqual(4 * prompt + 2 * sentTokens * perToken);
    await eventually(() =>
      expect(chatsAsked(stack).every(({ outcome }) => outcome === 'aborted')).toBe(true),
    );
  });

  it('does not hold up the others', async () => {
    const deaf = await openStream(stack.url, key, faulty('endless', 2048, { stream: true }), { deaf: true });
    const answer = await ask(`${stack.url}/v1/chat/completions`, { key, body: chat(8, { stream: true }) });
    expect(answer.text).toContain('[DONE]');
    deaf.leave();
    await spentSince(stack, key, before);
  });
});

it('a request whose body never comes whole costs nothing', async () => {
  await free(stack, key, async () => {
    const sent = send(stack.url, key, {}, { 'content-length': '1000' });
    sent.on('error', () => {});
    await sleep(100);
    sent.destroy();
  });
  expect(chatsAsked(stack)).toEqual([]);
});

function upstream(): Recorded {
  return chatsAsked(stack).at(-1)!;
}

/** Bytes of memory a process has. */
async function resident(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) * 1024;
}

/** Waits until a number that grows does not any more. */
async function standstill(read: () => number): Promise<number> {
  for (let last = -1; ; ) {
    await sleep(500);
    const now = read();
    if (now === last) return now;
    last = now;
  }
}

/** Sends the head of an answer and half of its body: the status it is asked for in `user`. */
async function upstreamThatStopsHalfway() {
  let waiting = Promise.withResolvers<void>();
  let aborted = Promise.withResolvers<void>();
  const server = createServer(async (request, response) => {
    if (request.method === 'GET') return void response.end('{}');
    let body = '';
    for await (const chunk of request) body += chunk;
    response.once('close', () => aborted.resolve());
    response.writeHead(Number(JSON.parse(body).user), { 'content-type': 'application/json' });
    response.write('{"choices":[{"message":{"content":"half of', () => waiting.resolve());
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    /** The next request got its half. */
    async waiting() {
      await waiting.promise;
      waiting = Promise.withResolvers();
    },
    /** Its connection is gone. */
    async aborted() {
      await aborted.promise;
      aborted = Promise.withResolvers();
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
