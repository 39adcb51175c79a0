import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { ask, chat, events } from '../support/ask.ts';
import { account, rows } from '../support/books.ts';
import { expectError, retryAfter } from '../support/expect-error.ts';
import { eventually, startStack } from '../support/stack.ts';
import { expectConserved, faulty, keyWith, perToken, prompt } from './money.ts';
import { openStream } from './paid-stream.ts';

/**
 * A process stands still for so long that another one ends its holds; then it goes on. What it still had running ends
 * there, and its own word on the charge raises that of the reaper, by what the account has left.
 */
export async function standStill(): Promise<void> {
  await using stack = await startStack();
  const other = await stack.another();
  const [busy, quiet, waiting, gone] = await Promise.all(
    [100, 101, 102, 103].map((sats) => keyWith(stack, sats)),
  );
  const flowing = await openStream(stack.url, busy, faulty('drip=50,tokens=2000', 2000, { stream: true }));
  // Says something again only after the process has got over it.
  const rare = await openStream(stack.url, quiet, faulty('drip=48000', 2000, { stream: true }));
  const emptied = await openStream(stack.url, gone, faulty('drip=50,tokens=2000', 2000, { stream: true }));
  const buffered = ask(`${stack.url}/v1/chat/completions`, { key: waiting!, body: faulty('slow=48000') });
  await flowing.until(60);
  await emptied.until(60);

  stack.sidecar.kill('SIGSTOP');
  await eventually(() => expect(other.log.join()).toContain('ended what a dead process left'), 60_000);
  expect(rows(stack, 'select id from hold')).toEqual([]);
  const reaped = await account({ ...stack, url: other.url }, busy!);
  expect(reaped.total_spent).toBeGreaterThan(prompt);
  // Its money is free: its owner has it sent back, by way of the other process.
  const refund = await ask(`${other.url}/v1/wallet/refund`, { method: 'POST', key: gone! });
  expect(refund.status, refund.text).toBe(425);
  const { balance: left } = await account({ ...stack, url: other.url }, gone!);
  expect(left).toBeLessThan(1000);

  const arrived = [flowing, rare, emptied].map(({ arrivals }) => arrivals.length);
  stack.sidecar.kill('SIGCONT');
  await Promise.all([flowing.ended, rare.ended, emptied.ended]);
  expect([flowing, rare, emptied].map(({ arrivals }) => arrivals.length)).toEqual(arrived);
  for (const { text } of [flowing, rare, emptied]) {
    expect(events<{ error: object }>(text).at(-1)).toMatchObject({ error: { code: 'ledger_unavailable' } });
  }
  // The whole answer came late, and is charged in full.
  const answer = await buffered;
  expect(answer.status).toBe(200);
  expect(answer.headers.get('x-routstr-cost-msats')).toBe(String(prompt + 24 * perToken));
  expect((await account(stack, waiting!)).total_spent).toBe(prompt + 24 * perToken);

  const late = "select reference from entry where kind = 'charge_late'";
  await eventually(() => expect(rows(stack, late)).toHaveLength(4));
  const { total_spent } = await account(stack, busy!);
  expect(total_spent).toBeGreaterThanOrEqual(prompt + flowing.arrivals.length * perToken);
  expect(total_spent).toBeLessThanOrEqual(prompt + 2 * flowing.arrivals.length * perToken);
  expect((await account(stack, gone!)).balance).toBeGreaterThanOrEqual(0);
  // It serves again, under a new session.
  const again = await ask(`${stack.url}/v1/chat/completions`, { key: busy!, body: chat() });
  expect(again.status).toBe(200);
  await expectConserved(stack);
}

/** The ledger is out of reach for longer than a process may trust its holds: delivery waits, and goes on when it is back. */
export async function loseTheLedger(): Promise<void> {
  await using stack = await startStack();
  const key = await keyWith(stack, 100);
  const stream = await openStream(stack.url, key, faulty('drip=50,tokens=700', 1000, { stream: true }));
  await stream.until(20);
  const lock = new DatabaseSync(stack.database);
  lock.exec('begin immediate');

  const refused = await ask(`${stack.url}/v1/chat/completions`, { key, body: chat() });
  expectError(refused, 503, 'server_error', 'ledger_unavailable');
  expect(retryAfter(refused)).toBeGreaterThan(0);
  // Its hold is paid for and nobody can have ended it yet.
  await stream.until(stream.arrivals.length + 20);
  await sleep(25_000);
  const arrived = stream.arrivals.length;
  expect(arrived).toBeGreaterThan(100);
  expect(arrived).toBeLessThan(700);
  await sleep(2000);
  expect(stream.arrivals.length, 'nothing goes out without trust').toBe(arrived);

  lock.close();
  await stream.ended;
  expect(stream.text).toContain('[DONE]');
  expect(stream.arrivals).toHaveLength(700);
  expect(await account(stack, key)).toMatchObject({
    balance: 99_000 - prompt - 700 * perToken,
    reserved: 0,
  });
  await expectConserved(stack);
}
