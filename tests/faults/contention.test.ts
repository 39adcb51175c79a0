import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Answer, ask, chat } from '../support/ask.ts';
import { account, rows } from '../support/books.ts';
import { expectError } from '../support/expect-error.ts';
import { eventually, type RunningSidecar, type Stack, startStack } from '../support/stack.ts';
import { expectConserved, faulty, keyWith, perToken, prompt } from './money.ts';
import { openStream } from './paid-stream.ts';

let stack: Stack;
let other: RunningSidecar;
beforeAll(async () => {
  stack = await startStack();
  other = await stack.another();
});
afterAll(async () => {
  await expectConserved(stack);
  await stack[Symbol.asyncDispose]();
});

const full = prompt + 24 * perToken;

function buy(key: string, body: object, at = stack.url): Promise<Answer> {
  return ask(`${at}/v1/chat/completions`, { key, body });
}

function refund(key: string, at = stack.url): Promise<Answer> {
  return ask(`${at}/v1/wallet/refund`, { method: 'POST', key });
}

it.each([1, 2])(
  '200 requests at once on a balance for exactly 10: 10 are served (sidecars: %d)',
  async (sidecars) => {
    const key = await keyWith(stack, 2);
    // 1000 msat, and each costs all of the 100 that it sets aside.
    const body = faulty('slow=200,tokens=49', 49);
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, n) => buy(key, body, n % sidecars === 1 ? other.url : stack.url)),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(10);
    for (const answer of answers)
      if (answer.status !== 200) expectError(answer, 402, 'insufficient_quota', 'insufficient_balance');
    expect(await account(stack, key)).toMatchObject({
      balance: 0,
      reserved: 0,
      total_spent: 1000,
    });
  },
);

it('two sidecars on one balance until it is empty: never overspent', async () => {
  const key = await keyWith(stack, 4);
  let served = 0;
  const until402 = async (at: string) => {
    for (;;) {
      const answer = await buy(key, chat(24), at);
      if (answer.status === 402) return;
      expect(answer.status, answer.text).toBe(200);
      served++;
    }
  };
  await Promise.all(Array.from({ length: 16 }, (_, n) => until402(n % 2 === 0 ? stack.url : other.url)));
  // When the last one was refused nothing was running that could have paid for it.
  const { balance, reserved, total_spent } = await account(stack, key);
  expect({ reserved, total: balance + total_spent }).toEqual({ reserved: 0, total: 3000 });
  expect(total_spent).toBe(served * full);
});

it('a refund asked for while a request runs is refused, at either sidecar; after it, it is all there', async () => {
  const key = await keyWith(stack, 100);
  const stream = await openStream(stack.url, key, faulty('drip=50', 24, { stream: true }));
  await stream.until(2);
  for (const at of [stack.url, other.url]) {
    const refused = await refund(key, at);
    const error = expectError(refused, 400, 'invalid_request_error', 'refund_running');
    expect(error.message).toBe('Cannot refund key. There are ongoing requests for this api key.');
  }
  await stream.ended;
  expect(stream.text).toContain('[DONE]');
  await eventually(async () => {
    expectError(await refund(key, other.url), 425, 'invalid_request_error', 'refund_pending');
  });
  // Whole sats go; the rest of a sat stays.
  expect((await account(stack, key)).balance).toBe((99_000 - full) % 1000);
  expect(refunds(98_000)).toBe(1);
  // Asked again, it is the same one.
  await refund(key);
  expect(refunds(98_000)).toBe(1);
});

it('refunds and requests in a race, for many rounds: never both with the same money', async () => {
  const worth = 9000;
  for (let round = 0; round < 12; round++) {
    const key = await keyWith(stack, 10);
    const before = totalRefunded();
    const racers = [
      () => buy(key, faulty('slow=100')),
      () => refund(key),
      () => refund(key, other.url),
      () => buy(key, faulty('slow=100'), other.url),
    ];
    const answers = await Promise.all(
      racers.map(async (run, n) => {
        // A different one is first each time.
        await sleep(((n + round) % racers.length) * 2);
        return run();
      }),
    );
    expect(answers.every(({ status }) => [200, 400, 402, 425].includes(status))).toBe(true);
    const served = [answers[0]!, answers[3]!].filter(({ status }) => status === 200).length;
    const debited = totalRefunded() - before;
    const { balance, reserved } = await account(stack, key);
    expect(reserved).toBe(0);
    expect(balance + debited + served * full).toBe(worth);
    if (debited > 0) {
      // It took all there was, in whole sats.
      expect(balance).toBe((worth - served * full) % 1000);
    } else expect(served).toBeGreaterThan(0);
    expect((await stack.audit()).violations).toEqual([]);
  }
});

function refunds(amount: number): number {
  return rows(stack, `select id from refund where amount = ${amount}`).length;
}

function totalRefunded(): number {
  return rows<{ sum: number | null }>(stack, 'select sum(amount) as sum from refund')[0]!.sum ?? 0;
}
