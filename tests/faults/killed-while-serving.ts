import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { type Answer, ask, chat } from '../support/ask.ts';
import { account, rows } from '../support/books.ts';
import { eventually, type Stack, startStack } from '../support/stack.ts';
import { expectConserved, faulty, keyWith, perToken, prompt } from './money.ts';
import { openStream } from './paid-stream.ts';

/** A sidecar writes what is owed once a second; ms that it may be late with that on a busy machine. */
const writtenWithin = 3000;

/** Streams run, the process dies, and starts again: within 45 s nothing is set aside, and what was delivered is charged. */
export async function dieWhileStreaming(): Promise<void> {
  await using stack = await startStack();
  const long = faulty('drip=20,tokens=2000', 2000, { stream: true });
  const keys = await Promise.all([0, 1, 2].map(() => keyWith(stack, 100)));
  const token = await stack.token(100);
  const streams = await Promise.all([
    openStream(stack.url, keys[0], long),
    // This one has outrun its hold already.
    openStream(stack.url, keys[1], faulty('endless,drip=20', 10, { stream: true })),
    openStream(stack.url, undefined, long, { headers: { 'x-cashu': token } }),
  ]);
  const buffered = ask(`${stack.url}/v1/chat/completions`, { key: keys[2]!, body: faulty('hang') });
  const unanswered = expect(buffered).rejects.toThrow();
  await Promise.all(streams.map((stream) => stream.until(200)));
  const killed = performance.now();
  await stack.kill();
  await unanswered;
  for (const { ended } of streams) expect(await ended).toEqual({ whole: false });

  await stack.start();
  await nothingSetAside(stack);

  const bounds = streams.map(({ arrivals }) => ({
    least: prompt + arrivals.filter((at) => at < killed - writtenWithin).length * perToken,
    most: prompt + arrivals.length * perToken,
  }));
  for (const n of [0, 1] as const) {
    const { balance } = await account(stack, keys[n]!);
    expect(bounds[n]!.least, 'enough was delivered to see a charge').toBeGreaterThan(prompt);
    expect(99_000 - balance).toBeGreaterThanOrEqual(bounds[n]!.least);
    expect(99_000 - balance).toBeLessThanOrEqual(bounds[n]!.most);
  }
  const { balance } = await account(stack, keys[2]!);
  expect(99_000 - balance).toBe(prompt);
  const owed = await changeOf(stack, token);
  expect(owed).toBeLessThanOrEqual(Math.floor((99_000 - bounds[2]!.least) / 1000) * 1000);
  expect(owed).toBeGreaterThanOrEqual(Math.floor((99_000 - bounds[2]!.most) / 1000) * 1000);
  await expectConserved(stack);
}

/** Many requests of every kind run while the process is killed again and again: no msat is lost or made. */
export async function dieInAStorm(): Promise<void> {
  await using stack = await startStack();
  const keys = await Promise.all([0, 1, 2].map(() => keyWith(stack, 50)));
  const tokens = await Promise.all(Array.from({ length: 6 }, () => stack.token(20)));
  const kinds = [
    chat(),
    chat(8, { stream: true }),
    faulty('slow=30'),
    faulty('drip=5', 24, { stream: true }),
  ];
  let stop = false;
  const told = new Map(keys.map((key) => [key, 0]));
  const customer = async (n: number) => {
    const key = keys[n % keys.length]!;
    for (let round = n; !stop; round++) {
      const answer = await request(stack, { key, body: kinds[round % kinds.length]! });
      const cost = answer?.status === 200 && answer.headers.get('x-routstr-cost-msats');
      if (cost) told.set(key, told.get(key)! + Number(cost));
      if (!answer) await sleep(50);
    }
  };
  const customers = Array.from({ length: 16 }, (_, n) => customer(n));
  for (let round = 0; round < 3; round++) {
    const redeeming = tokens.slice(2 * round, 2 * round + 2).map(async (token, n) => {
      await sleep(n * 40);
      await request(stack, { headers: { 'x-cashu': token }, body: chat() });
    });
    await sleep(600 + 170 * round);
    await stack.kill();
    await Promise.all(redeeming);
    await stack.start();
  }
  stop = true;
  await Promise.all(customers);
  await nothingSetAside(stack);
  for (const key of keys) {
    const { balance, total_spent } = await account(stack, key);
    expect(balance + total_spent).toBe(49_000);
    expect(total_spent).toBeGreaterThanOrEqual(told.get(key)!);
    expect(total_spent).toBeGreaterThan(0);
  }
  // What a redemption was in the middle of is decided, one way or the other.
  const undecided = "select token_hash from redemption where state = 'undecided'";
  await eventually(() => expect(rows(stack, undecided)).toEqual([]), 60_000);
  const credited = "select token_hash from redemption where state = 'credited' and role = 'request'";
  await expectConserved(stack, 20 * (tokens.length - rows(stack, credited).length));
}

/** An answer, or nothing when the connection broke. */
async function request(stack: Stack, what: Parameters<typeof ask>[1]): Promise<Answer | undefined> {
  return await ask(`${stack.url}/v1/chat/completions`, what).catch(() => undefined);
}

async function nothingSetAside(stack: Stack): Promise<void> {
  await eventually(() => expect(rows(stack, 'select id from hold')).toEqual([]), 45_000);
}

/** msat of the refund that an `X-Cashu` request left. */
async function changeOf(stack: Stack, token: string): Promise<number> {
  const hash = createHash('sha256').update(`redemption${token}`).digest('hex');
  const [owed] = rows<{ amount: number }>(stack, `select amount from refund where account = '${hash}'`);
  return owed!.amount;
}
