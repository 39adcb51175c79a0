import assert from 'node:assert/strict';
import { test } from 'vitest';
import { SseMeter } from '../../sidecar/metering/sse-meter.ts';
import { type Event, isAside, readStream } from './read-stream.ts';
import { patience, runs } from './runs.ts';
import { shrink, throws } from './shrink.ts';
import { chop, randomStream, type Streamed, streamed } from './stream-mutation.ts';

interface Metered {
  /** What a client gets, the held end included. */
  sent: Buffer;
  tokens: number;
  usage: unknown;
  exact: boolean;
}

function meter(family: Streamed, pieces: readonly Buffer[]): Metered {
  const meter = new SseMeter(family);
  const sent: Buffer[] = [];
  for (const piece of pieces) {
    sent.push(...meter.push(piece).map((bytes) => Buffer.from(bytes)));
    const tokens = meter.deliveredTokens();
    assert.ok(Number.isSafeInteger(tokens) && tokens >= 0, `${tokens} tokens`);
  }
  const { rest, usageEvent, closing } = meter.end();
  sent.push(...rest, ...(usageEvent ? [usageEvent] : []), ...closing);
  return {
    sent: Buffer.concat(sent),
    tokens: meter.deliveredTokens(),
    usage: meter.usage(),
    exact: meter.exact,
  };
}

/** Events that bring generated text, by the families' own documentation. */
function texts(family: Streamed, events: readonly Event[]): number {
  // No JSON writer escapes a letter; the meter compares names as they stand.
  const plain = events.filter(({ data }) => !/\\u00[2-7]/.test(data ?? ''));
  return plain.filter(({ json }) => textOf(family, json) !== '').length;
}

function textOf(family: Streamed, json: unknown): string {
  const event = json as Record<string, never> & {
    type?: string;
    delta?: unknown;
    choices?: { text?: unknown; delta?: { content?: unknown } }[];
  };
  if (typeof json !== 'object' || json === null) return '';
  const said =
    family === 'chat'
      ? Array.isArray(event.choices) && event.choices[0]?.delta?.content
      : family === 'completions'
        ? Array.isArray(event.choices) && event.choices[0]?.text
        : family === 'messages'
          ? event.type === 'content_block_delta' && (event.delta as { text?: unknown } | null)?.text
          : family === 'responses'
            ? event.type === 'response.output_text.delta' && event.delta
            : '';
  return typeof said === 'string' ? said : '';
}

test(
  'a stream goes through whole and is counted the same, wherever it is cut',
  () => {
    const { count, random, replay } = runs('streams', 0.1);
    for (let n = 0; n < count; n++) {
      const dice = random(n);
      const family = dice.pick(streamed);
      const stream = randomStream(family, dice);
      const most = dice.pick([1, 3, 16, 200, 5000]);
      const run = (bytes: Buffer) => {
        const whole = meter(family, [bytes]);
        assert.deepEqual(meter(family, chop(bytes, 1, dice)), whole);
        assert.deepEqual(meter(family, chop(bytes, most, dice)), whole);
        check(family, bytes, whole);
      };
      try {
        run(stream);
      } catch (error) {
        const least = shrink(stream, (smaller) => throws(() => run(smaller)));
        throw new Error(replay(n, `${family}\n${least.toString('latin1')}`), { cause: error });
      }
    }
  },
  patience,
);

function check(family: Streamed, stream: Buffer, { sent, tokens, usage }: Metered): void {
  const came = readStream(stream);
  const went = readStream(sent);
  const lines = (events: readonly Event[]) => events.map((event) => event.lines);
  const inTurn = (events: readonly Event[]) => lines(events.filter((event) => !isAside(event)));
  assert.deepEqual(inTurn(went), inTurn(came));
  assert.deepEqual(lines(went).sort(), lines(came).sort());
  assert.ok(tokens >= texts(family, came), `${tokens} tokens counted, ${texts(family, came)} came`);
  for (const amount of Object.values((usage ?? {}) as object))
    assert.ok(Number.isSafeInteger(amount) && amount >= 0);
}
