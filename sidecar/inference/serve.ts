import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Credential } from '../admission/credential.ts';
import { readNewKeyOptions } from '../admission/new-key-options.ts';
import type { Payment } from '../admission/payment.ts';
import type { Context } from '../context.ts';
import { HttpError } from '../errors.ts';
import { UpstreamFailure } from '../upstream/failure.ts';
import type { UpstreamAnswer } from '../upstream/forward.ts';
import { requestHeaders } from '../upstream/headers.ts';
import { upstreamFailed } from '../upstream/upstream.ts';
import { noteCharge, promptBill } from './bill.ts';
import { Client } from './client.ts';
import type { Order } from './order.ts';
import { sendBuffered } from './send-buffered.ts';
import { sendStreamed } from './send-streamed.ts';
import type { Serving } from './serving.ts';
import { upstreamError } from './upstream-error.ts';

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
  // Looked at before the body was read, and again now that others may have come in meanwhile.
  refuseWhenBusy(context);
  const offer = context.offer();
  const client = new Client(reply.raw, clientStall);
  const payment = await pay(order, credential, request, context);
  const serving: Serving = { order, offer, payment, client, request, reply, context };
  if (!client.gone) return forwardAndAnswer(serving);
  await payment.release();
  return reply.hijack();
}

async function forwardAndAnswer(serving: Serving): Promise<FastifyReply> {
  const { client, context, payment, reply } = serving;
  let abort = () => {};
  const answered = context.unfinished.add({ finish: () => abort() });
  try {
    const answer = await ask(serving, (cancel) => {
      abort = cancel;
      client.onGone(cancel);
    });
    if (!answer) return reply.hijack();
    if (answer.status < 200 || answer.status > 299) throw await upstreamError(answer);
    const encoding = answer.headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      // Asked not to, it compressed its answer all the same: that can't be metered, so it can't be sold.
      answer.flow.abort();
      throw upstreamFailed(answer.status);
    }
    const isStream = String(answer.headers['content-type'] ?? '').startsWith('text/event-stream');
    return isStream ? sendStreamed(serving, answer) : await sendBuffered(serving, answer);
  } catch (error) {
    // Nothing was delivered. Given back before the client hears of it, so that its next request finds the money.
    if (!payment.ended) await payment.release();
    throw error;
  } finally {
    answered();
  }
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
 * @returns undefined when the client left meanwhile: then the payment is ended, and there is nobody to answer
 * @throws HttpError when there was no answer
 */
async function ask(
  { order, offer, payment, client, request, context }: Serving,
  onAbort: (abort: () => void) => void,
): Promise<UpstreamAnswer | undefined> {
  const { upstream, metrics } = context;
  const { UPSTREAM_API_KEY } = offer.settings;
  const length = order.body.reduce((sum, piece) => sum + piece.length, 0);
  const observed = metrics.firstByte.startTimer();
  try {
    const answer = await upstream.send(
      order.path + order.query,
      {
        method: order.method,
        headers: requestHeaders(request.headers, UPSTREAM_API_KEY, length),
        body: order.body,
      },
      // The model has the prompt now: from here on that much is owed.
      { onAbort, onSent: () => payment.accrueBy(() => promptBill(order).cost.totalMsat) },
    );
    observed();
    return answer;
  } catch (error) {
    const failure = UpstreamFailure.from(error as Error);
    if (failure.kind === 'aborted' && client.gone) {
      if (failure.sent) {
        const prompt = promptBill(order);
        noteCharge(metrics, order, prompt, await payment.settle(prompt.cost.totalMsat, prompt.memo));
      } else await payment.release();
      return undefined;
    }
    metrics.upstreamFailures.inc({ kind: failure.kind });
    throw upstreamFailed(undefined, { cause: failure });
  }
}

/** @throws HttpError while this server takes no new requests */
export function refuseWhenBusy({ drain, load, running, offer }: Context): void {
  if (drain.state === 'refusing') {
    throw new HttpError('draining', { retryAfter: 1, headers: { connection: 'close' } });
  }
  if (running.admitted + load.waiting >= offer().settings.CONCURRENCY) {
    throw new HttpError('rate_limited', { retryAfter: 1 });
  }
}
