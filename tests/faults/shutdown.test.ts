import { expect, it } from 'vitest';
import { type Answer, ask, chat, events } from '../support/ask.ts';
import { account, charges, rows } from '../support/books.ts';
import { expectError, retryAfter } from '../support/expect-error.ts';
import { eventually, type Stack, startStack } from '../support/stack.ts';
import { chatsAsked, expectConserved, faulty, keyWith, perToken, prompt } from './money.ts';
import { openStream } from './paid-stream.ts';

function buy(stack: Stack, key: string, body: object): Promise<Answer> {
  return ask(`${stack.url}/v1/chat/completions`, { key, body });
}

it('SIGTERM lets short answers finish and cuts long ones at the deadline, each charged for what it delivered', async () => {
  await using stack = await startStack({ env: { DRAIN_DEADLINE: '4' } });
  const key = await keyWith(stack, 100);
  const long = await openStream(stack.url, key, faulty('endless,drip=20', 2000, { stream: true }));
  const short = await openStream(stack.url, key, faulty('drip=30', 24, { stream: true }));
  const buffered = buy(stack, key, faulty('slow=1000'));
  await Promise.all([long.until(10), short.until(2)]);

  const exit = stack.stop();
  await Promise.all([long.ended, short.ended]);
  expect(await exit).toBe(0);

  expect(short.text).toContain('[DONE]');
  expect(short.arrivals).toHaveLength(24);
  expect((await buffered).status).toBe(200);
  expect(events<{ error: object }>(long.text).at(-1)).toMatchObject({ error: { code: 'draining' } });
  expect(rows(stack, 'select id from hold')).toEqual([]);
  const costs = charges(stack).map(({ msat }) => msat);
  const full = prompt + 24 * perToken;
  expect(costs).toHaveLength(3);
  expect(costs.filter((msat) => msat === full).length).toBeGreaterThanOrEqual(2);
  const ofLong = costs.reduce((sum, msat) => sum + msat, -2 * full);
  expect(ofLong).toBeGreaterThanOrEqual(prompt + long.arrivals.length * perToken);
  expect(ofLong).toBeLessThanOrEqual(prompt + 2 * long.arrivals.length * perToken);
  await expectConserved(stack);
});

it('a buffered answer that does not come in time costs nothing, and does not keep the process', async () => {
  await using stack = await startStack({ env: { DRAIN_DEADLINE: '1' } });
  const key = await keyWith(stack, 100);
  const unborn = buy(stack, key, faulty('hang'));
  const streamed = buy(stack, key, faulty('hang', 24, { stream: true }));
  await eventually(() => expect(rows(stack, 'select id from hold')).toHaveLength(2));
  expect(await stack.stop()).toBe(0);
  for (const answer of await Promise.all([unborn, streamed])) {
    expectError(answer, 503, 'server_error', 'draining');
    expect(retryAfter(answer)).toBeGreaterThan(0);
  }
  expect(charges(stack)).toEqual([]);
  await expectConserved(stack);
});

it('a client that no longer reads does not keep the process either', async () => {
  await using stack = await startStack({ env: { DRAIN_DEADLINE: '1' } });
  const key = await keyWith(stack, 1000);
  const deaf = await openStream(stack.url, key, faulty('endless', 2000, { stream: true }), { deaf: true });
  await eventually(() => expect(chatsAsked(stack).at(-1)!.sentEvents).toBeGreaterThan(1000));
  expect(await stack.stop()).toBe(0);
  deaf.leave();
  expect(rows(stack, 'select id from hold')).toEqual([]);
  expect(charges(stack)).toHaveLength(1);
  await expectConserved(stack);
});

it('a token on its way in is credited, and its client told to come again', async () => {
  await using stack = await startStack({ env: { DRAIN_DEADLINE: '1' } });
  const token = await stack.token(100);
  const paying = await stack.token(50);
  stack.mint.fault({ kind: 'delay', path: 'POST /v1/swap', when: 'after', ms: 1500 });
  const created = ask(`${stack.url}/v1/balance/create`, { body: { initial_balance_token: token } });
  const paid = ask(`${stack.url}/v1/chat/completions`, { headers: { 'x-cashu': paying }, body: chat() });
  await eventually(() => expect(stack.mint.hits('POST /v1/swap')).toBe(2));
  expect(await stack.stop()).toBe(0);
  for (const answer of await Promise.all([created, paid])) {
    if (answer.status === 200) continue;
    expect(answer.status, answer.text).toBe(503);
    expect(retryAfter(answer)).toBeGreaterThan(0);
  }
  stack.mint.clearFaults();
  await stack.start();
  const again = await ask(`${stack.url}/v1/balance/create`, { body: { initial_balance_token: token } });
  expect(again.json()).toMatchObject({ balance: 99_000 });
  const served = await ask(`${stack.url}/v1/chat/completions`, {
    headers: { 'x-cashu': paying },
    body: chat(),
  });
  expect([200, 400]).toContain(served.status);
  expect(charges(stack)).toHaveLength(1);
  await expectConserved(stack);
});

it('while it drains it refuses what is new, and a cancelled drain serves again', async () => {
  await using stack = await startStack({ env: { DRAIN_DEADLINE: '20' } });
  const key = await keyWith(stack, 100);
  const running = await openStream(stack.url, key, faulty('drip=60', 24, { stream: true }));
  const drained = ask(`${stack.drain}/drain`);
  await eventually(async () => expect((await ask(`${stack.admin}/readyz`)).status).toBe(503));
  const refused = await buy(stack, key, chat());
  expectError(refused, 503, 'server_error', 'draining');
  expect(retryAfter(refused)).toBeGreaterThan(0);
  await running.ended;
  expect(running.arrivals).toHaveLength(24);
  expect((await drained).status).toBe(200);
  expect((await buy(stack, key, chat())).status).toBe(200);
  expect(await account(stack, key)).toMatchObject({ reserved: 0 });
  await expectConserved(stack);
});
