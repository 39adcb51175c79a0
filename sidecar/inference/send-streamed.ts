import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyReply } from 'fastify';
import { countStream } from '../metering/count-stream.ts';
import { mergedUsageEvent } from '../metering/merge.ts';
import { errorEvent, type StreamError } from '../metering/own-events.ts';
import { type HeldEnd, SseMeter } from '../metering/sse-meter.ts';
import type { UpstreamAnswer } from '../upstream/forward.ts';
import { answerHeaders } from '../upstream/headers.ts';
import { type Bill, billFor, billStated, chargeOf, noteCharge, promptBill } from './bill.ts';
import type { Serving } from './serving.ts';
import { type Delivered, type StreamEnd, StreamedAnswer } from './streamed-answer.ts';

/** What a client reads in the last event of a stream that we had to end. */
const cutShort: Record<Exclude<StreamEnd, 'complete' | 'client_gone'>, StreamError> = {
  insufficient_balance: {
    code: 'insufficient_balance',
    message: 'The balance is used up: the answer ends here. Top up and ask for the rest',
  },
  upstream_failed: {
    code: 'UPSTREAM_UNAVAILABLE',
    type: 'upstream_error',
    message: 'The model broke off: what it said so far was charged',
  },
  untrusted: {
    code: 'ledger_unavailable',
    type: 'server_error',
    message: 'The ledger could not be reached: what was said so far was charged',
  },
  draining: {
    code: 'draining',
    type: 'server_error',
    message: 'This server is shutting down: what was said so far was charged',
  },
};

const nothingCame: StreamError = {
  ...cutShort.upstream_failed,
  message: 'The model broke off before it said anything: nothing was charged',
};

/** Sends a stream on as it comes. Its cost is in its last event, merged into the usage. */
export function sendStreamed(serving: Serving, answer: UpstreamAnswer): FastifyReply {
  const { order, payment, client, reply, context } = serving;
  // 0: nothing of it is counted in tokens, so there is no limit either.
  const meter = new SseMeter(order.family, order.mostOutput || undefined);
  const stream = new StreamedAnswer({
    meter,
    flow: answer.flow,
    client,
    payment,
    running: order.sale.running(order.counted),
    trusted: context.session.trusted,
    fenced: () => context.session.id() !== payment.session,
    ended: (end, delivered) => {
      finished();
      settle(serving, meter, end, delivered).catch((error: unknown) => abandon(serving, error));
    },
  });
  const finished = context.unfinished.add(stream);
  reply.hijack();
  reply.raw.writeHead(answer.status, {
    ...(reply.getHeaders() as OutgoingHttpHeaders),
    ...answerHeaders(answer.headers),
  });
  reply.raw.flushHeaders();
  stream.start();
  answer.consume(stream);
  return reply;
}

async function settle(
  serving: Serving,
  meter: SseMeter,
  end: StreamEnd,
  delivered: Delivered,
): Promise<void> {
  const { order, payment, client, context } = serving;
  const held = meter.end();
  const saidNothing =
    !delivered.anything && (end === 'upstream_failed' || (end === 'complete' && isEmpty(held)));
  if (saidNothing) {
    // It broke off before its first byte: as good as no answer at all.
    await payment.release();
    client.end([errorEvent(order.family, nothingCame)]);
    return;
  }
  const bill = billOf(serving, meter, end, delivered.tokens);
  const settled = await payment.settle(bill.cost.totalMsat, bill.memo);
  noteCharge(context.metrics, order, bill, settled);
  if (end === 'client_gone') return;
  if (end === 'complete') {
    const spent = { family: order.family, usage: bill.usage, fields: chargeOf(bill, settled) };
    client.end([...held.rest, mergedUsageEvent(held.usageEvent, spent, meter.identity), ...held.closing]);
  } else {
    client.end([errorEvent(order.family, cutShort[end])]);
  }
}

function isEmpty({ rest, usageEvent, closing }: HeldEnd): boolean {
  return rest.length === 0 && usageEvent === undefined && closing.length === 0;
}

/** A mistake of our own on the way to the bill. What the ledger knows to be owed is charged, and nobody else's stream ends for it. */
function abandon({ order, payment, client, context }: Serving, error: unknown): void {
  context.onBroken(error);
  if (!payment.ended) void payment.settle(payment.accrued(), promptBill(order).memo);
  client.end([errorEvent(order.family, cutShort.upstream_failed)]);
}

/**
 * What a stream is billed: the upstream's own count of what was delivered, else ours.
 * Of a stream that was cut the upstream may have counted more than its client got: then ours it is.
 */
function billOf({ order }: Serving, meter: SseMeter, end: StreamEnd, delivered: number): Bill {
  const reported = meter.usage();
  const counted = () =>
    countStream(order.family, order.counted, { tokens: delivered, images: meter.deliveredImages });
  if (reported && (end === 'complete' || delivered === meter.deliveredTokens())) {
    return billStated(order, { usage: reported, estimated: !meter.exact }, counted);
  }
  return billFor(order, counted(), true);
}
