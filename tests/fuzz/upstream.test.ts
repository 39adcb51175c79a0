import assert from 'node:assert/strict';
import { Pool } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ApiFamily } from '../../sidecar/body/api-family.ts';
import { assertAnswer } from './answer-shape.ts';
import { type RawUpstream, replyHeader, startRawUpstream } from './raw-upstream.ts';
import { isAside, readStream } from './read-stream.ts';
import { inParallel, patience, runs } from './runs.ts';
import type { Streamed } from './stream-mutation.ts';
import { startTarget, type Target } from './target.ts';
import { bufferedReply, type Script, streamedReply } from './upstream-mutation.ts';

/** What is asked for in each family, with a prompt that is never free. */
const messages = [{ role: 'user', content: 'hello' }];
const asked: Partial<Record<ApiFamily, { path: string; body: object }>> = {
  chat: { path: '/v1/chat/completions', body: { model: 'stub-chat', messages, max_tokens: 50 } },
  completions: { path: '/v1/completions', body: { model: 'stub-instruct', prompt: 'hello', max_tokens: 50 } },
  responses: { path: '/v1/responses', body: { model: 'stub-chat', input: 'hello', max_output_tokens: 50 } },
  messages: { path: '/v1/messages', body: { model: 'stub-chat', messages, max_tokens: 50 } },
  embeddings: { path: '/v1/embeddings', body: { model: 'stub-embedding', input: 'hello' } },
  images: { path: '/v1/images/generations', body: { model: 'stub-image', prompt: 'hello' } },
  audio_speech: { path: '/v1/audio/speech', body: { model: 'stub-speech', input: 'hello', voice: 'alloy' } },
  rerank: { path: '/v1/rerank', body: { model: 'stub-rerank', query: 'a', documents: ['b'] } },
  moderations: { path: '/v1/moderations', body: { model: 'stub-moderation', input: 'hello' } },
};
const streaming = [
  'chat',
  'completions',
  'responses',
  'messages',
  'images',
] as const satisfies readonly Streamed[];

const scripts = new Map<number, Script>();
let upstream: RawUpstream;
let target: Target;
let pool: Pool;

beforeAll(async () => {
  upstream = await startRawUpstream((n) => scripts.get(n)!);
  target = await startTarget({ UPSTREAM_BASE_URL: upstream.url, UPSTREAM_TIMEOUT: '20' });
  pool = new Pool(target.stack.url, {
    connections: 32,
    headersTimeout: 60_000,
    bodyTimeout: 60_000,
    maxHeaderSize: 64 * 1024,
  });
});
afterAll(async () => {
  await pool.destroy();
  await target[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

test(
  'whatever an upstream sends, its client gets all of it or an error, and what it gets is paid',
  async () => {
    const { count, random, replay } = runs('upstreams', 0.06);
    const key = await target.key(10_000_000);
    let whole = 0;
    await inParallel(count, 32, async (n) => {
      const dice = random(n);
      const stream = dice.chance(0.6);
      const family = stream ? dice.pick(streaming) : dice.pick(Object.keys(asked) as ApiFamily[]);
      const script = stream ? streamedReply(family as Streamed, dice) : bufferedReply(family, dice);
      scripts.set(n, script);
      const { path, body } = asked[family]!;
      try {
        const answer = await pool.request({
          path,
          method: 'POST',
          headers: {
            authorization: `Bearer ${key}`,
            'content-type': 'application/json',
            [replyHeader]: String(n),
          },
          body: JSON.stringify({ ...body, ...(stream && { stream }) }),
        });
        const bytes = Buffer.from(await answer.body.arrayBuffer());
        if (answer.statusCode > 299)
          assertAnswer(answer.statusCode, String(answer.headers['content-type']), bytes);
        // The one before may have closed the connection without a word: then this one did not get there.
        if (script.whole === undefined || !upstream.arrived.has(n)) return;
        whole++;
        assert.ok(answer.statusCode < 300, `${answer.statusCode} ${bytes}`);
        if (stream) checkStream(script.whole, bytes, mayBeFree(family, script.whole));
        else
          checkBuffered(
            script.whole,
            bytes,
            Number(answer.headers['x-routstr-cost-msats']),
            mayBeFree(family, script.whole),
          );
      } catch (error) {
        throw new Error(replay(n, `${path}\n${Buffer.concat(script.pieces).toString('latin1')}`), {
          cause: error,
        });
      }
    });
    await target.survived({ moreCharges: true, free: /^stub-image / });
    expect(whole).toBeGreaterThan(count / 3);
  },
  patience,
);

/** One event more than came, or one in whose place is another, and that one says what was paid. */
function checkStream(sent: Buffer, received: Buffer, free: boolean): void {
  if (sent.length === 0) {
    assert.match(received.toString(), /^(?:event: error\n)?data: .*UPSTREAM_UNAVAILABLE.*\n\n$/);
    return;
  }
  const [came, went] = [sent, received].map((bytes) => readStream(bytes).filter((event) => !isAside(event)));
  const same = (a: number, b: number) =>
    came![a] !== undefined &&
    went![b] !== undefined &&
    came![a]!.lines.join('\n') === went![b]!.lines.join('\n');
  let before = 0;
  while (same(before, before)) before++;
  let after = 0;
  while (after < came!.length - before && same(came!.length - 1 - after, went!.length - 1 - after)) after++;
  const ours = went!.slice(before, went!.length - after);
  assert.ok(came!.length - before - after <= 1, 'more than one event was changed or lost');
  assert.equal(ours.length, 1, 'more than one event was added');
  // Its cost is in what can't be read, as it could not before.
  if (came![before] !== undefined && came![before]!.json === undefined) return;
  const cost = (ours[0]!.json as { usage?: { cost?: { total_msats?: number } } }).usage?.cost;
  assert.ok(free || Number(cost?.total_msats) > 0, `it cost ${cost?.total_msats} msat`);
}

function checkBuffered(sent: Buffer, received: Buffer, cost: number, free: boolean): void {
  assert.ok(free || cost > 0, `it cost ${cost} msat`);
  // What is no JSON within goes on as it is, with its cost or without.
  if (sent.equals(received) || !isJson(sent)) return;
  const { usage, ...rest } = JSON.parse(received.toString());
  const { usage: _, ...came } = JSON.parse(sent.toString());
  assert.deepEqual(rest, came);
  assert.equal(usage.cost.total_msats, cost);
}

/** Images are sold by the piece: an answer in which none can be costs nothing. */
function mayBeFree(family: ApiFamily, whole: Buffer): boolean {
  if (family !== 'images') return false;
  const events = readStream(whole).filter((event) => !isAside(event) && event.data !== '[DONE]');
  const text = whole.toString('latin1');
  return !/"(?:b64_json|url)"/.test(text) && !events.some(({ data }) => !data!.includes('"error"'));
}

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString());
    return true;
  } catch {
    return false;
  }
}
