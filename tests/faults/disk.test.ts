import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { ask, chat } from '../support/ask.ts';
import { account, charges, rows } from '../support/books.ts';
import { expectError, retryAfter } from '../support/expect-error.ts';
import { eventually, type Stack, startStack } from '../support/stack.ts';
import { expectConserved, faulty, keyWith, perToken, prompt } from './money.ts';
import { openStream } from './paid-stream.ts';

/** No file of the sidecar may grow any more, or even be written to: what a full disk looks like to it. */
async function fillDisk(stack: Stack, full: boolean): Promise<void> {
  const limit = full ? '0' : 'unlimited';
  await promisify(execFile)('prlimit', ['--pid', String(stack.sidecar.pid), `--fsize=${limit}:unlimited`]);
}

it('a full disk: 503 and nothing charged; what runs is charged when there is room again', async () => {
  await using stack = await startStack();
  const key = await keyWith(stack, 100);
  const token = await stack.token(50);
  const paying = await stack.token(40);
  const stream = await openStream(stack.url, key, faulty('drip=50,tokens=60', 100, { stream: true }));
  await stream.until(5);
  const unread = await openStream(stack.url, key, faulty('drip=20,tokens=2000', 2000, { stream: true }));
  await unread.until(5);
  await fillDisk(stack, true);

  for (const request of [
    ask(`${stack.url}/v1/chat/completions`, { key, body: chat() }),
    ask(`${stack.url}/v1/chat/completions`, { key, body: chat(8, { stream: true }) }),
    ask(`${stack.url}/v1/chat/completions`, { headers: { 'x-cashu': paying }, body: chat() }),
    ask(`${stack.url}/v1/chat/completions`, { key: token, body: chat() }),
    ask(`${stack.url}/v1/balance/create`, { body: { initial_balance_token: token } }),
  ]) {
    const answer = await request;
    expectError(answer, 503, 'server_error', 'ledger_unavailable');
    expect(retryAfter(answer)).toBeGreaterThan(0);
  }
  expect(stack.mint.hits('POST /v1/swap'), 'no token was spent').toBe(1);
  expect(charges(stack)).toEqual([]);
  // Streams go on within their holds, and their clients may leave meanwhile.
  unread.leave();
  await stream.ended;
  expect(stream.arrivals).toHaveLength(60);
  expect(stream.text).toContain('[DONE]');

  await fillDisk(stack, false);
  await eventually(() => expect(rows(stack, 'select id from hold')).toEqual([]));
  expect(charges(stack).map(({ msat }) => msat)).toContain(prompt + 60 * perToken);
  expect(charges(stack)).toHaveLength(2);
  const { balance, total_spent } = await account(stack, key);
  expect(balance + total_spent).toBe(99_000);
  expect(total_spent).toBe(charges(stack).reduce((sum, { msat }) => sum + msat, 0));

  const served = await ask(`${stack.url}/v1/chat/completions`, {
    headers: { 'x-cashu': paying },
    body: chat(),
  });
  expect(served.status, served.text).toBe(200);
  const created = await ask(`${stack.url}/v1/balance/create`, { body: { initial_balance_token: token } });
  expect(created.json()).toMatchObject({ balance: 49_000 });
  await expectConserved(stack);
});

it('a disk that fills up while a token is being redeemed: credited once there is room', async () => {
  await using stack = await startStack();
  const token = await stack.token(50);
  stack.mint.fault({ kind: 'delay', path: 'POST /v1/swap', when: 'after', ms: 700, times: 1 });
  const created = ask(`${stack.url}/v1/balance/create`, { body: { initial_balance_token: token } });
  await eventually(() => expect(stack.mint.hits('POST /v1/swap')).toBe(1));
  await fillDisk(stack, true);
  expectError(await created, 503, 'server_error', 'ledger_unavailable');
  await fillDisk(stack, false);
  const again = await ask(`${stack.url}/v1/balance/create`, { body: { initial_balance_token: token } });
  expect(again.status, again.text).toBe(200);
  expect(again.json()).toMatchObject({ balance: 49_000 });
  await expectConserved(stack);
});
