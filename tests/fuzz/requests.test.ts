import { Pool } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { assertAnswer } from './answer-shape.ts';
import { mutateForm, validForms } from './form-mutation.ts';
import { mutateJson } from './json-mutation.ts';
import type { Random } from './random.ts';
import { inParallel, patience, runs } from './runs.ts';
import { startTarget, type Target } from './target.ts';
import { balanceRequests, inferenceRequests } from './valid-requests.ts';

let target: Target;
let pool: Pool;

beforeAll(async () => {
  target = await startTarget();
  pool = new Pool(target.stack.url, { connections: 16, headersTimeout: 60_000, bodyTimeout: 60_000 });
});
afterAll(async () => {
  await pool.destroy();
  await target[Symbol.asyncDispose]();
});

function damaged(random: Random): { path: string; type: string; body: Buffer } {
  if (random.chance(0.15)) return mutateForm(random.pick(validForms), random);
  const { path, body } = random.pick(random.chance(0.2) ? balanceRequests : inferenceRequests);
  const type = random.chance(0.95)
    ? 'application/json'
    : random.pick(['', 'text/json', 'application/json; charset=latin1', 'a'.repeat(500)]);
  return { path, type, body: mutateJson(body, random) };
}

test(
  'any body gets an answer, and what reaches the model is paid',
  async () => {
    const { count, random, replay } = runs('requests', 0.22);
    const [spender, saver] = [await target.key(1_000_000), await target.key(1_000_000)];
    let answered = 0;
    await inParallel(count, 32, async (n) => {
      const { path, type, body } = damaged(random(n));
      // Refunds would take the money that pays for the rest.
      const key =
        path.includes('balance') || path.includes('wallet') || path.includes('lightning') ? saver : spender;
      try {
        const answer = await pool.request({
          path,
          method: 'POST',
          headers: { authorization: `Bearer ${key}`, ...(type !== '' && { 'content-type': type }) },
          body,
        });
        const bytes = Buffer.from(await answer.body.arrayBuffer());
        assertAnswer(answer.statusCode, String(answer.headers['content-type']), bytes);
        if (answer.statusCode === 200 && key === spender) answered++;
      } catch (error) {
        throw new Error(replay(n, `${path} ${type}\n${body.toString('latin1')}`), { cause: error });
      }
    });
    await target.survived();
    expect(target.upstream.served).toBeGreaterThan(count / 20);
    expect(target.upstream.served).toBe(answered);
  },
  patience,
);
