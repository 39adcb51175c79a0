import { afterAll, beforeAll, expect, it } from 'vitest';
import { ask, events } from '../support/ask.ts';
import { account, charges, expectBalanced } from '../support/books.ts';
import { eventually, type Stack, startStack } from '../support/stack.ts';
import { chatsAsked, faulty, keyWith, perToken, prompt, spentSince } from './money.ts';
import { openStream } from './paid-stream.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await startStack();
});
afterAll(async () => {
  await expectBalanced(stack);
  await stack[Symbol.asyncDispose]();
});

/** Tokens that so many msat buy, prompt included. */
const tokensFor = (msat: number) => Math.floor((msat - prompt) / perToken);

it('a stream that outruns its hold goes on, paid ahead, as long as there is money', async () => {
  const key = await keyWith(stack, 100);
  const before = (await account(stack, key)).balance;
  const stream = await openStream(stack.url, key, faulty('overrun=3000', 20, { stream: true }));
  await stream.ended;
  expect(stream.text).toContain('[DONE]');
  expect(stream.arrivals).toHaveLength(3000);
  expect(await spentSince(stack, key, before)).toBe(prompt + 3000 * perToken);
});

it('it never has more on its way than is set aside for it', async () => {
  const key = await keyWith(stack, 100);
  const stream = await openStream(stack.url, key, faulty('endless,drip=2', 20, { stream: true }));
  for (let looked = 0; looked < 10; looked++) {
    const arrived = stream.arrivals.length;
    await stream.until(arrived + 60);
    const { reserved } = await account(stack, key);
    // Looked at before the balance was asked for, so the hold can only have grown since.
    expect(reserved).toBeGreaterThanOrEqual(prompt + (arrived + 60) * perToken);
  }
  stream.leave();
  await eventually(async () => expect((await account(stack, key)).reserved).toBe(0));
});

it.each([20, 300])(
  'an endless stream ends when the account is empty, to the last token (max_tokens %d)',
  async (most) => {
    const key = await keyWith(stack, 2);
    const stream = await openStream(stack.url, key, faulty('endless,drip=1', most, { stream: true }));
    const { whole } = await stream.ended;
    expect(whole).toBe(true);
    const last = events<{ error: object }>(stream.text).at(-1);
    expect(last).toMatchObject({ error: { type: 'insufficient_quota', code: 'insufficient_balance' } });

    const { balance, reserved, total_spent } = await account(stack, key);
    expect({ reserved, total: balance + total_spent }).toEqual({ reserved: 0, total: 1000 });
    // What is left does not buy what came next (a few tokens, on a busy machine), and nobody got one that was not paid for.
    expect(balance).toBeLessThan(10 * perToken);
    expect(stream.arrivals.length).toBeLessThanOrEqual(tokensFor(total_spent));
    expect(charges(stack).at(-1)).toMatchObject({ msat: total_spent });
    await eventually(() => expect(chatsAsked(stack).at(-1)).toMatchObject({ outcome: 'aborted' }));
  },
);

it('two endless streams on one account share it to the end, and overdraw nothing', async () => {
  const key = await keyWith(stack, 4);
  const streams = await Promise.all(
    [1, 2].map(() => openStream(stack.url, key, faulty('endless,drip=1', 20, { stream: true }))),
  );
  for (const { ended } of streams) expect(await ended).toEqual({ whole: true });
  for (const { text } of streams) expect(text).toContain('insufficient_balance');
  const { balance, reserved, total_spent } = await account(stack, key);
  expect({ reserved, total: balance + total_spent }).toEqual({ reserved: 0, total: 3000 });
  expect(balance).toBeLessThan(20 * perToken);
  const delivered = streams.reduce((sum, { arrivals }) => sum + arrivals.length, 0);
  expect(2 * prompt + delivered * perToken).toBeLessThanOrEqual(total_spent + 2 * prompt);
});

it('who prepaid exactly the hold gets an answer of exactly the tokens asked for', async () => {
  const key = await keyWith(stack, 2);
  const most = tokensFor(1000);
  const answer = await ask(`${stack.url}/v1/chat/completions`, {
    key,
    body: faulty(`tokens=${most},usage=none`, most, { stream: true }),
  });
  expect(answer.text).toContain('[DONE]');
  expect(answer.text.match(/"content":"[^"]/g)).toHaveLength(most);
  const { balance } = await account(stack, key);
  expect(balance).toBeGreaterThanOrEqual(0);
  expect(balance).toBeLessThanOrEqual(prompt);
});

it('the last answer of an account costs what is left, when the model counts more', async () => {
  const key = await keyWith(stack, 2);
  const answer = await ask(`${stack.url}/v1/chat/completions`, { key, body: faulty('overrun=4000', 400) });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('x-routstr-cost-msats')).toBe('1000');
  expect(await account(stack, key)).toMatchObject({ balance: 0, reserved: 0, total_spent: 1000 });
});
