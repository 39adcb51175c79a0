import assert from 'node:assert/strict';
import { request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { assertAnswer } from './answer-shape.ts';
import type { Random } from './random.ts';
import { inParallel, patience, runs } from './runs.ts';
import { startTarget, type Target } from './target.ts';
import { mutateToken, type Parts, takeApart } from './token-mutation.ts';

/** sats */
const face = 60;
const chat = JSON.stringify({
  model: 'stub-chat',
  messages: [{ role: 'user', content: 'hello' }],
  max_tokens: 3,
});

let target: Target;
let topped: string;

beforeAll(async () => {
  target = await startTarget({ REDEMPTIONS_PER_MINUTE: '100000000' });
  topped = await target.key(10);
});
afterAll(() => target[Symbol.asyncDispose]());

/** The ways in which a token reaches the sidecar. */
function bringing(
  token: string,
  random: Random,
): { path: string; headers: Record<string, string>; body: string } {
  const type = { 'content-type': 'application/json' };
  const inHeader = /^[\x20-\x7e]*$/.test(token) && token.length < 90_000;
  switch (inHeader ? random.int(5) : random.int(2)) {
    case 0:
      return {
        path: '/v1/wallet/create',
        headers: type,
        body: JSON.stringify({ initial_balance_token: token }),
      };
    case 1: {
      const headers = { ...type, authorization: `Bearer ${topped}` };
      return { path: '/v1/wallet/topup', headers, body: JSON.stringify({ cashu_token: token }) };
    }
    case 2:
      return { path: '/v1/chat/completions', headers: { ...type, 'x-cashu': token }, body: chat };
    case 3:
      return { path: '/v1/wallet/refund', headers: { ...type, 'x-cashu': token }, body: '' };
    default:
      return {
        path: '/v1/chat/completions',
        headers: { ...type, authorization: `Bearer ${token}` },
        body: chat,
      };
  }
}

test(
  'any token gets an answer, and no more is credited than mints have signed',
  async () => {
    const { count, random, replay } = runs('tokens', 0.05);
    const { keysets } = (await (await fetch(`${target.stack.mint.url}/v1/keysets`)).json()) as {
      keysets: { id: string }[];
    };
    const ids = keysets.map(({ id }) => id);
    const statuses = new Set<number>();
    let minted = 10;
    let good: Parts[] = [];
    const another = async () => {
      minted += face;
      good = [...good.slice(-7), takeApart(await target.stack.token(face), ids)];
    };
    await another();
    await inParallel(count, 24, async (n) => {
      // Most are spent by then, which is a case as well.
      if (n % 50 === 0) await another();
      const dice = random(n);
      const token = mutateToken(dice.pick(good), dice);
      const { path, headers, body } = bringing(token, dice);
      try {
        const answer = await request(`${target.stack.url}${path}`, {
          method: 'POST',
          headers,
          body,
          headersTimeout: 60_000,
        });
        const bytes = Buffer.from(await answer.body.arrayBuffer());
        assertAnswer(answer.statusCode, String(answer.headers['content-type']), bytes);
        statuses.add(answer.statusCode);
      } catch (error) {
        throw new Error(replay(n, `${path} ${token}`), { cause: error });
      }
    });
    await target.survived();
    const { books, undecided } = await target.stack.audit();
    const credited = books.reduce((sum, book) => sum + book.credited, 0n);
    assert.ok(credited > 0n && credited <= BigInt(minted) * 1000n, `${credited} msat of ${minted} sat`);
    expect(undecided).toBe(0);
    expect([...statuses]).toEqual(expect.arrayContaining([200, 400]));
  },
  patience,
);
