import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Credential } from '../admission/credential.ts';
import { readNewKeyOptions } from '../admission/new-key-options.ts';
import type { Payment } from '../admission/payment.ts';
import { HttpError } from '../errors.ts';
import type { Offer } from '../offer.ts';
import type { Context } from '../routes/context.ts';
import { UpstreamFailure } from '../upstream/failure.ts';
import type { UpstreamAnswer } from '../upstream/forward.ts';
import { requestHeaders } from '../upstream/headers.ts';
import { upstreamFailed } from '../upstream/upstream.ts';
import { promptBill } from './bill.ts';
import { Client } from './client.ts';
import type { Order } from './order.ts';
import { sendBuffered } from './send-buffered.ts';
import { sendStreamed } from './send-streamed.ts';
import { upstreamError } from './upstream-error.ts';

/** A paid request on its way: from here on exactly one of settle and release ends its payment. */
export interface Serving {
  order: Order;
  offer: Offer;
  payment: Payment;
  client: Client;
  request: FastifyRequest;
  reply: FastifyReply;
  context: Context;
}

/** ms that a client may leave its answer unread before it counts as gone. */
const clientStall = 120_000;

/** Sells one request: money is set aside, then it is forwarded, metered on its way back, and settled. */
export async function serve(
  order: Order,
  credential: Credential,
  request: FastifyRequest,
  reply: FastifyReply,
  context: Context,
): Promise<FastifyReply> {
  const offer = context.offer();
  const client = new Client(reply.raw, clientStall);
  const payment = await pay(order, credential, request, context);
  const serving: Serving = { order, offer, payment, client, request, reply, context };
  if (client.gone) {
    await payment.release();
    return reply.hijack();
  }
  let abort = () => {};
  const unanswered = { finish: () => abort() };
  context.streams.add(unanswered);
  try {
    const answer = await ask(serving, (cancel) => {
      abort = cancel;
      client.onGone(cancel);
    });
    return answer ? await send(serving, answer) : reply.hijack();
  } finally {
    context.streams.delete(unanswered);
  }
}

async function send(serving: Serving, answer: UpstreamAnswer): Promise<FastifyReply> {
  const { payment } = serving;
  if (answer.status < 200 || answer.status > 299) {
    const error = await upstreamError(answer);
    await payment.release();
    throw error;
  }
  const encoding = answer.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    // Asked not to, it compressed its answer all the same: that can't be metered, so it can't be sold.
    answer.flow.abort();
    await payment.release();
    throw upstreamFailed(answer.status);
  }
  const isStream = String(answer.headers['content-type'] ?? '').startsWith('text/event-stream');
  return isStream ? sendStreamed(serving, answer) : sendBuffered(serving, answer);
}

async function pay(
  order: Order,
  credential: Credential,
  request: FastifyRequest,
  context: Context,
): Promise<Payment> {
  const { admission, load, now, signal } = context;
  load.waiting += 1;
  try {
    return await admission.pay(
      credential,
      {
        amount: order.amount,
        model: order.sale.name,
        priced: order.sale.priced,
        newKey:
          credential.kind === 'token'
            ? readNewKeyOptions(request.headers['key-expiry-time'], request.headers['refund-lnurl'], now())
            : {},
        address: request.ip,
      },
      signal,
    );
  } finally {
    load.waiting -= 1;
  }
}

/**
 * Forwards the request.
 * @returns undefined when the client left meanwhile: then it is settled, and there is nobody to answer
 * @throws HttpError when there was no answer; released then
 */
async function ask(
  { order, offer, payment, client, request, context }: Serving,
  onAbort: (abort: () => void) => void,
): Promise<UpstreamAnswer | undefined> {
  const { upstream, metrics } = context;
  const { UPSTREAM_API_KEY } = offer.settings;
  const length = order.body.reduce((sum, piece) => sum + piece.length, 0);
  const prompt = promptBill(order);
  payment.accrueBy(() => prompt.cost.totalMsat);
  const observed = metrics.firstByte.startTimer();
  try {
    const answer = await upstream.send(
      order.path,
      {
        method: order.method,
        headers: requestHeaders(request.headers, UPSTREAM_API_KEY, length),
        body: order.body,
      },
      onAbort,
    );
    observed();
    return answer;
  } catch (error) {
    const failure = UpstreamFailure.from(error as Error);
    if (failure.kind === 'aborted' && client.gone) {
      // The model had the prompt already: that much was bought.
      await payment.settle(prompt.cost.totalMsat, prompt.memo);
      return undefined;
    }
    metrics.upstreamFailures.inc({ kind: failure.kind });
    await payment.release();
    throw upstreamFailed(undefined, { cause: failure });
  }
}

/** @throws HttpError while this server takes no new requests */
export function refuseWhenBusy({ drain, load, running, offer }: Context): void {
  if (drain.state === 'refusing') {
    throw new HttpError('draining', { retryAfter: 1, headers: { connection: 'close' } });
  }
  if (running.size + load.waiting >= offer().settings.CONCURRENCY)
    throw new HttpError('rate_limited', { retryAfter: 1 });
}
