import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, ask, chat, events } from '../support/ask.ts';
import { account, bought, expectBalanced } from '../support/books.ts';
import { expectError, retryAfter } from '../support/expect-error.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { faulty, free, keyWith, perToken, prompt } from './money.ts';

let stack: Stack;
let key: string;

beforeAll(async () => {
  stack = await startStack({ env: { UPSTREAM_TIMEOUT: '1.5', ANSWER_LIMIT_BYTES: '65536' } });
  key = await keyWith(stack, 10_000);
});
afterAll(async () => {
  await expectBalanced(stack);
  await stack[Symbol.asyncDispose]();
});

function buy(body: object): Promise<Answer> {
  return ask(`${stack.url}/v1/chat/completions`, { key, body });
}

interface Completion {
  usage?: { completion_tokens: number; cost: { total_msats: number } };
  choices: { message: { content: string } }[];
}

describe('an upstream that gives no answer costs nothing', () => {
  it.each(['status=500', 'status=503', 'html=502', 'reset=before', 'hang'])('%s', async (fault) => {
    for (const stream of [false, true]) {
      const answer = await free(stack, key, () => buy(faulty(fault, 24, { stream })));
      expectError(answer, 424, 'upstream_error', 'UPSTREAM_UNAVAILABLE');
      expect(answer.headers.get('x-routstr-error-scope')).toBe('upstream');
    }
  });

  it.each(['reset=headers', 'reset=40', 'length=10', 'gzip', 'huge=200000'])('%s', async (fault) => {
    const answer = await free(stack, key, () => buy(faulty(fault)));
    expectError(answer, 424, 'upstream_error', 'UPSTREAM_UNAVAILABLE');
  });

  it.each(['status=401', 'status=402', 'status=403'])('%s, which is not about the client', async (fault) => {
    const answer = await free(stack, key, () => buy(faulty(fault)));
    expectError(answer, 424, 'upstream_error', 'UPSTREAM_UNAVAILABLE');
  });

  it('one that is busy says when to come again', async () => {
    const answer = await free(stack, key, () => buy(faulty('status=429')));
    expectError(answer, 429, 'rate_limit_error', 'UPSTREAM_RATE_LIMIT');
    expect(retryAfter(answer)).toBe(1);
  });

  it.each([400, 404, 422])('one that refuses with %d is quoted', async (status) => {
    const answer = await free(stack, key, () => buy(faulty(`status=${status}`)));
    const error = expectError(answer, status, 'upstream_error', 'upstream_rejected');
    expect(error.message).toBe(`asked to answer ${status}`);
  });

  it('a stream that breaks off before its first event', async () => {
    const answer = await free(stack, key, () => buy(faulty('reset=headers', 24, { stream: true })));
    expect(answer.text).toContain('UPSTREAM_UNAVAILABLE');
  });

  it('one that is not there', async () => {
    const away = await startStack({
      env: { UPSTREAM_BASE_URL: `http://127.0.0.1:${await closedPort()}/v1` },
    });
    const token = await away.token(100);
    const answer = await ask(`${away.url}/v1/chat/completions`, { key: token, body: chat() });
    expectError(answer, 424, 'upstream_error', 'UPSTREAM_UNAVAILABLE');
    expect(await account(away, token)).toMatchObject({ balance: 99_000, reserved: 0 });
    await expectBalanced(away);
    await away[Symbol.asyncDispose]();
  });
});

describe('usage that can’t be charged is counted, never free, never the whole hold', () => {
  const hold = prompt + 2048 * perToken;

  it.each(['none', 'null', 'negative', 'float', 'string', 'zero', 'huge'])('%s', async (kind) => {
    for (const stream of [false, true]) {
      const { answer, charge } = await bought(stack, key, () =>
        buy(faulty(`usage=${kind}`, 2048, { stream, stream_options: { include_usage: true } })),
      );
      expect(answer.status).toBe(200);
      expect(charge.estimated).toBe(true);
      // 24 tokens of five characters: counted in fours, they are thirty.
      expect(charge.outputMsat).toBeGreaterThanOrEqual(24 * perToken);
      expect(charge.outputMsat).toBeLessThanOrEqual(30 * perToken);
      expect(charge.msat).toBeLessThan(hold / 10);
      expect(charge.inputMsat).toBeGreaterThan(0);
    }
  });

  it('never more than was asked for, by an upstream that keeps to it', async () => {
    for (const stream of [false, true]) {
      const { charge } = await bought(stack, key, () => buy(faulty('usage=none', 20, { stream })));
      expect(charge.outputTokens).toBe(20);
    }
  });

  it('of JSON that broke off', async () => {
    const { answer, charge } = await bought(stack, key, () => buy(faulty('broken', 2048)));
    expect(answer.status).toBe(200);
    expect(charge.estimated).toBe(true);
    expect(charge.outputMsat).toBeGreaterThan(0);
    expect(charge.msat).toBeLessThan(hold / 2);
  });

  it('of an answer longer than its content-length', async () => {
    const { answer, charge } = await bought(stack, key, () => buy(faulty('length=-10')));
    expect(answer.status).toBe(200);
    expect(charge.estimated).toBe(true);
    expect(charge.msat).toBeGreaterThan(0);
  });
});

describe('what was delivered is charged', () => {
  it.each([201, 206])('with %d', async (status) => {
    for (const stream of [false, true]) {
      const { answer, charge } = await bought(stack, key, () =>
        buy(faulty(`success=${status}`, 24, { stream })),
      );
      expect(answer.status).toBe(status);
      expect(charge).toMatchObject({ estimated: false, msat: prompt + 24 * perToken });
    }
  });

  it('of a stream that breaks off', async () => {
    const { answer, charge } = await bought(stack, key, () => buy(faulty('reset=10', 24, { stream: true })));
    const tokens = contents(answer);
    expect(tokens).toBeGreaterThan(0);
    expect(charge.outputTokens).toBeGreaterThanOrEqual(tokens);
    expect(charge.msat).toBeLessThan(prompt + 24 * perToken);
    expect(lastError(answer)).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', type: 'upstream_error' });
  });

  it('of a stream that falls silent', async () => {
    const { answer, charge } = await bought(stack, key, () => buy(faulty('drip=2500', 24, { stream: true })));
    expect(charge.msat).toBeGreaterThan(0);
    expect(charge.msat).toBeLessThan(prompt + 24 * perToken);
    expect(lastError(answer)).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
  });

  it('of a stream with an error of its own', async () => {
    const { answer, charge } = await bought(stack, key, () => buy(faulty('error', 24, { stream: true })));
    expect(answer.text).toContain('asked to fail');
    expect(charge.msat).toBeGreaterThan(0);
    expect(charge.msat).toBeLessThan(prompt + 24 * perToken);
  });

  it.each(['nodone', 'drip=20', 'split', 'crlf', 'heartbeat'])(
    'of a stream with %s, in full',
    async (fault) => {
      const { answer, charge, remaining } = await bought(stack, key, () =>
        buy(faulty(fault, 24, { stream: true })),
      );
      expect(contents(answer)).toBe(24);
      expect(charge).toMatchObject({ estimated: false, msat: prompt + 24 * perToken });
      const usage = events<Completion>(answer.text.replaceAll('\r', ''))
        .filter((event) => event !== '[DONE]')
        .map((event) => event.usage)
        .findLast((found) => found);
      expect(usage).toMatchObject({
        cost: { total_msats: charge.msat },
        remaining_balance_msats: remaining,
      });
    },
  );

  it('of a stream with an event that is no JSON', async () => {
    const { answer, charge } = await bought(stack, key, () => buy(faulty('broken', 24, { stream: true })));
    expect(charge).toMatchObject({ estimated: false, msat: prompt + 24 * perToken });
    expect(contents(answer)).toBeGreaterThanOrEqual(23);
  });
});

function contents(answer: Answer): number {
  return answer.text.match(/"content":"[^"]/g)?.length ?? 0;
}

function lastError(answer: Answer): object | undefined {
  const last = events<{ error?: object }>(answer.text).at(-1);
  return last === '[DONE]' ? undefined : last?.error;
}

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
