import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, chat } from '../support/ask.ts';
import { type Stack, startStack } from '../support/stack.ts';

// Browsers may call: every answer, errors too, can be read by a page of any origin.
let stack: Stack;

beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack[Symbol.asyncDispose]());

const origin = 'https://shop.example';
const exposed = [
  'x-routstr-request-id',
  'x-cashu',
  'x-routstr-cost-msats',
  'x-routstr-cost-usd',
  'x-routstr-input-cost-msats',
  'x-routstr-output-cost-msats',
];

function exposedBy(headers: Headers): string[] {
  return (headers.get('access-control-expose-headers') ?? '').split(/,\s*/);
}

test.each([
  '/v1/chat/completions',
  '/v1/wallet/info',
  '/v1/balance/refund',
  '/v1/models',
  '/lightning/invoice',
])('a preflight of %s is 204 without a credential', async (path) => {
  const answer = await ask(stack.url + path, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type,x-cashu',
    },
  });
  expect(answer.status).toBe(204);
  expect(answer.text).toBe('');
  expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  expect(answer.headers.get('access-control-allow-methods')).toContain('POST');
  expect(answer.headers.get('access-control-allow-headers')?.toLowerCase()).toContain('x-cashu');
  expect(answer.headers.get('x-routstr-request-id')).toMatch(/^[0-9a-f-]{36}$/);
});

test('a bare OPTIONS is 204 too', async () => {
  const answer = await ask(`${stack.url}/v1/chat/completions`, { method: 'OPTIONS' });
  expect(answer.status).toBe(204);
});

test.each<[string, string, object | undefined, string | undefined]>([
  ['an answer', '/v1/models', undefined, undefined],
  ['402', '/v1/chat/completions', chat(), undefined],
  ['401', '/v1/chat/completions', chat(), `sk-${'0'.repeat(64)}`],
  ['404', '/v1/nothing', undefined, undefined],
])('a page can read %s', async (_, path, body, key) => {
  const answer = await ask(stack.url + path, {
    headers: { origin },
    ...(body !== undefined && { body }),
    ...(key !== undefined && { key }),
  });
  expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  expect(exposedBy(answer.headers)).toEqual(expect.arrayContaining(exposed));
});

test('a page can read the cost of a paid answer, buffered and streamed', async () => {
  const key = await stack.token(128);
  for (const stream of [false, true]) {
    const answer = await ask(`${stack.url}/v1/chat/completions`, {
      key,
      headers: { origin },
      body: chat(8, { stream }),
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(exposedBy(answer.headers)).toEqual(expect.arrayContaining(exposed));
  }
});

test('the provider may allow some origins only', async () => {
  await using choosy = await startStack({ env: { CORS_ORIGINS: `${origin},https://other.example` } });
  const ours = await ask(`${choosy.url}/v1/models`, { headers: { origin } });
  expect(ours.headers.get('access-control-allow-origin')).toBe(origin);
  expect(ours.headers.get('vary')?.toLowerCase()).toContain('origin');
  const theirs = await ask(`${choosy.url}/v1/models`, { headers: { origin: 'https://evil.example' } });
  expect(theirs.headers.get('access-control-allow-origin')).toBeNull();
});
