import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Answer, ask, chat } from '../support/ask.ts';
import { account, charges, expectBalanced } from '../support/books.ts';
import { expectError, retryAfter } from '../support/expect-error.ts';
import { type Stack, startStack } from '../support/stack.ts';

// A model that fails costs nothing, and its own troubles are never mistaken for the customer's.
let stack: Stack;
let key: string;
let balance: number;

beforeAll(async () => {
  stack = await startStack({ env: { UPSTREAM_TIMEOUT: '0.4', ANSWER_LIMIT_BYTES: '65536' } });
  key = await stack.token(128);
  ({ balance } = await account(stack, key));
});
beforeEach(async () => {
  expect(await account(stack, key)).toMatchObject({ balance, reserved: 0 });
});
afterAll(async () => {
  expect(charges(stack)).toEqual([]);
  expect(await account(stack, key)).toMatchObject({ balance, reserved: 0 });
  await expectBalanced(stack);
  await stack[Symbol.asyncDispose]();
});

function failing(fault: string, more: object = {}): Promise<Answer> {
  stack.model.fault(fault, 1);
  return ask(`${stack.url}/v1/chat/completions`, { key, body: chat(8, more) });
}

test.each([
  ['a server error', 'status=500', 500],
  ['a page of HTML', 'html=502', 502],
  ['a wrong credential of ours', 'status=401', 401],
  ['a bill of its own', 'status=402', 402],
  ['a ban', 'status=403', 403],
  ['a redirect', 'status=302', 302],
  ['silence', 'hang', null],
  ['a connection that breaks before the answer', 'reset=before', null],
  ['a connection that breaks within the answer', 'reset=20', 200],
  ['an answer shorter than it says', 'length=10', 200],
  ['a compressed answer nobody asked for', 'gzip', 200],
  ['an answer larger than is taken', 'huge=70000', 200],
])('%s is 424', async (_, fault, status) => {
  const answer = await failing(fault);
  const error = expectError(answer, 424, 'upstream_error', 'UPSTREAM_UNAVAILABLE');
  expect(error.upstream_status).toBe(status);
  expect(answer.headers.get('x-routstr-error-scope')).toBe('upstream');
  expect(answer.headers.get('x-routstr-cost-msats')).toBeNull();
});

test('also when a stream was asked for', async () => {
  const answer = await failing('status=500', { stream: true });
  expectError(answer, 424, 'upstream_error', 'UPSTREAM_UNAVAILABLE');
});

test('a busy model is 429, with its own Retry-After', async () => {
  const answer = await failing('status=429');
  const error = expectError(answer, 429, 'rate_limit_error', 'UPSTREAM_RATE_LIMIT');
  expect(error.upstream_status).toBe(429);
  expect(retryAfter(answer)).toBe(1);
});

test.each([400, 404, 422])("the model's own %d goes on, as an upstream_error", async (status) => {
  const answer = await failing(`status=${status}`);
  const error = expectError(answer, status, 'upstream_error', 'upstream_rejected');
  expect(error).toMatchObject({ message: `asked to answer ${status}`, upstream_status: status });
  expect(answer.headers.get('x-routstr-error-scope')).toBe('upstream');
});

test('nothing of the upstream shows: neither its address nor its credential', async () => {
  for (const fault of ['status=500', 'html=502', 'reset=before', 'hang']) {
    const { text } = await failing(fault);
    expect(text).not.toContain(new URL(stack.model.url).port);
    expect(text).not.toContain('upstream-credential');
    expect(text).not.toContain('<h1>');
  }
});

test('a model that is gone is 424 until it is back', async () => {
  await stack.model.close();
  const answer = await ask(`${stack.url}/v1/chat/completions`, { key, body: chat() });
  const error = expectError(answer, 424, 'upstream_error', 'UPSTREAM_UNAVAILABLE');
  expect(error.upstream_status).toBeNull();
});
