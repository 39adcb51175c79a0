import assert from 'node:assert/strict';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { assertAnswer } from './answer-shape.ts';
import { inParallel, patience, runs } from './runs.ts';
import { chop } from './stream-mutation.ts';
import { startTarget, type Target } from './target.ts';
import { exchange } from './wire.ts';
import { cleanRequest, mutatedRequest } from './wire-mutation.ts';

let target: Target;

beforeAll(async () => {
  target = await startTarget();
});
afterAll(() => target[Symbol.asyncDispose]());

test('a request without a Host is refused in the shape of all errors', async () => {
  const port = Number(new URL(target.stack.url).port);
  const { answers } = await exchange(port, [Buffer.from('GET /v1/info HTTP/1.1\r\n\r\n')], 1);
  expect(answers).toMatchObject([{ status: 400 }]);
  for (const { status, headers, body } of answers)
    assertAnswer(status, headers.get('content-type') ?? '', body);
});

test(
  'any head, framing or path gets an answer or an end, and what can be read in two ways never runs',
  async () => {
    const { count, random, replay } = runs('wire', 0.05);
    const credentials = { key: await target.key(1_000_000), token: await target.stack.token(1000) };
    const port = Number(new URL(target.stack.url).port);
    let answered = 0;
    await inParallel(count, 48, async (n) => {
      const dice = random(n);
      const clean = dice.chance(0.3) ? dice.between(1, 3) : 0;
      const last = mutatedRequest(credentials, dice);
      const bytes = Buffer.concat([
        ...Array.from({ length: clean }, () => cleanRequest(credentials).bytes),
        last.bytes,
      ]);
      const pieces = dice.chance(0.2) ? chop(bytes, dice.pick([1, 7, 1000]), dice) : [bytes];
      try {
        const { answers } = await exchange(port, pieces.length > 2000 ? [bytes] : pieces, clean + 1);
        for (const { status, headers, body } of answers)
          assertAnswer(status, headers.get('content-type') ?? '', body);
        const ran = answers.filter(({ status }) => status < 300).length;
        if (last.ambiguous) assert.ok(ran <= clean, 'it ran');
        answered += answers.length;
      } catch (error) {
        throw new Error(replay(n, bytes), { cause: error });
      }
    });
    await target.survived();
    expect(answered).toBeGreaterThan(count * 0.8);
  },
  patience,
);
