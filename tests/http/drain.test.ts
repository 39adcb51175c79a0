import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, chat, events } from '../support/ask.ts';
import { account, bought, charges, expectBalanced, type Told } from '../support/books.ts';
import { expectError, retryAfter } from '../support/expect-error.ts';
import { eventually, type Stack, startStack } from '../support/stack.ts';

// Before it goes, a sidecar finishes what it sold; and when it did not go after all, it sells again.
let stack: Stack;
let key: string;

beforeAll(async () => {
  stack = await startStack({ env: { DRAIN_TOKEN: 'let-it-go', DRAIN_DEADLINE: '2' } });
  key = await stack.token(1024);
  await account(stack, key);
});
afterAll(async () => {
  await expectBalanced(stack);
  await stack[Symbol.asyncDispose]();
});

const drain = (token = 'let-it-go') =>
  ask(`${stack.drain}/drain`, { method: 'POST', headers: { 'x-routstr-drain': token } });
const ready = async () => (await ask(`${stack.admin}/readyz`)).status;

function pay(more: object = {}, tokens = 20) {
  return ask(`${stack.url}/v1/chat/completions`, { key, body: chat(tokens, more) });
}

test('only who knows the token drains', async () => {
  for (const token of ['', 'let-it-g0', 'let-it-go-on']) expect((await drain(token)).status).toBe(403);
  await eventually(async () => expect(await ready()).toBe(200));
});

test('a running stream ends whole, new requests are 503, and then it sells again', async () => {
  stack.model.fault('drip=40', 1);
  const sale = bought(stack, key, () => pay({ stream: true }));
  await eventually(async () => expect((await account(stack, key)).reserved).toBeGreaterThan(0));

  const drained = drain();
  await eventually(async () => expect(await ready()).toBe(503));
  expect((await ask(`${stack.admin}/livez`)).status).toBe(200);
  for (const more of [{}, { stream: true }]) {
    const refused = await pay(more);
    expectError(refused, 503, 'server_error', 'draining');
    expect(retryAfter(refused)).toBeGreaterThan(0);
  }
  // What costs nothing is answered to the end.
  expect((await ask(`${stack.url}/v1/models`)).status).toBe(200);

  expect((await drained).json()).toEqual({ status: 'drained' });
  const { answer, charge } = await sale;
  const all = events<{ usage?: Told }>(answer.text);
  expect(all.at(-1)).toBe('[DONE]');
  expect(all.at(-2)).toMatchObject({ usage: { completion_tokens: 20, cost: { total_msats: 42 } } });
  expect(charge.msat).toBe(42);

  await eventually(async () => expect(await ready()).toBe(200));
  expect((await pay()).status).toBe(200);
});

test('past the deadline a stream is cut with an error event, and charged for what it delivered', async () => {
  const known = charges(stack).length;
  stack.model.fault('drip=20', 1);
  const running = pay({ stream: true, ignore_eos: true }, 2000);
  await eventually(async () => expect((await account(stack, key)).reserved).toBeGreaterThan(0));
  await drain();
  const { text } = await running;
  const all = events<{ error?: { code: string }; choices?: { delta?: { content?: string } }[] }>(text);
  expect(all.at(-1)).toMatchObject({ error: { code: 'draining', type: 'server_error' } });
  const delivered = all
    .map((event) => (event === '[DONE]' ? undefined : event.choices?.[0]?.delta?.content))
    .filter((text) => text);
  const [charge] = charges(stack).slice(known);
  // What was delivered: a token an event.
  const tokens = delivered.length;
  expect(tokens).toBeGreaterThan(5);
  expect(charge).toMatchObject({ outputTokens: tokens, outputMsat: 2 * tokens, estimated: true });
  expect(charge!.msat).toBeLessThan(4002);
  await eventually(async () => expect(await ready()).toBe(200));
});

test('told to end, it drains and then ends by itself', async () => {
  const known = charges(stack).length;
  stack.model.fault('slow=500', 1);
  const running = pay();
  await eventually(async () => expect((await account(stack, key)).reserved).toBeGreaterThan(0));
  const [code, answer] = await Promise.all([stack.stop(), running]);
  expect(code).toBe(0);
  expect(answer.status).toBe(200);
  expect(charges(stack).slice(known)).toMatchObject([{ msat: 42 }]);
});
