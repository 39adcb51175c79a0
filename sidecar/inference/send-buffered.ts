import type { FastifyReply } from 'fastify';
import { scanObject } from '../body/json-scan.ts';
import { HttpError } from '../errors.ts';
import type { CostFields } from '../metering/cost-fields.ts';
import { mergeBuffered } from '../metering/merge.ts';
import { countBody, meterAnswer } from '../metering/meter-answer.ts';
import { UpstreamFailure } from '../upstream/failure.ts';
import type { UpstreamAnswer } from '../upstream/forward.ts';
import { answerHeaders } from '../upstream/headers.ts';
import { upstreamFailed } from '../upstream/upstream.ts';
import { billStated, chargeOf, noteCharge, promptBill } from './bill.ts';
import { collect } from './buffered-answer.ts';
import type { Serving } from './serving.ts';

/**
 * Sends a whole answer with its cost in its headers and, in JSON, in its `usage`.
 * @throws HttpError when the answer broke off: nothing was delivered then, nothing is charged
 */
export async function sendBuffered(serving: Serving, answer: UpstreamAnswer): Promise<FastifyReply> {
  const { order, offer, payment, client, request, reply, context } = serving;
  client.onGone(() => answer.flow.abort());
  const memory = context.budget.share(request.ip);
  reply.raw.once('close', memory.giveBack);
  let body: Buffer;
  try {
    body = await collect(answer, offer.settings.ANSWER_LIMIT_BYTES, memory);
  } catch (error) {
    if (client.gone) return leave(serving);
    if (!(error instanceof UpstreamFailure)) throw error;
    context.metrics.upstreamFailures.inc({ kind: error.kind });
    throw upstreamFailed(answer.status, { cause: error });
  }
  const { family, counted, mostOutput } = order;
  const limits = { before: counted, mostOutput };
  const scanned = family === 'extra' ? undefined : scanObject(body);
  const metered = meterAnswer(family, body, limits, scanned);
  const bill = billStated(order, metered, () => countBody(family, body, limits, scanned));
  // All that could go wrong goes wrong before the charge is written.
  const headers = answerHeaders(answer.headers);
  const settled = await payment.settle(bill.cost.totalMsat, bill.memo);
  noteCharge(context.metrics, order, bill, settled);
  if (settled?.kind === 'settled' && settled.late && settled.shortfall > 0n) {
    // Taken for dead meanwhile, and the rest of the money has gone: what is not paid for is not handed out.
    throw new HttpError('ledger_unavailable', {
      retryAfter: 1,
      message: 'The request was interrupted: ask again',
    });
  }
  const fields = chargeOf(bill, settled);
  const pieces =
    isJson(answer) && family !== 'extra'
      ? mergeBuffered(body, { family, usage: bill.usage, fields }, scanned)
      : [body];
  client.expectEnd();
  return reply
    .code(answer.status)
    .headers({ ...headers, ...costHeaders(fields) })
    .send(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces));
}

/** The client left before its answer was whole: the model has read the prompt, so that much was bought. */
async function leave({ order, payment, reply, context }: Serving): Promise<FastifyReply> {
  const bill = promptBill(order);
  const settled = await payment.settle(bill.cost.totalMsat, bill.memo);
  noteCharge(context.metrics, order, bill, settled);
  return reply.hijack();
}

function costHeaders({ cost, chargedMsat }: CostFields): Record<string, string> {
  return {
    'x-routstr-cost-msats': String(chargedMsat),
    'x-routstr-input-cost-msats': String(cost.inputMsat + cost.cacheReadMsat + cost.cacheWriteMsat),
    'x-routstr-output-cost-msats': String(cost.outputMsat),
    ...(cost.totalUsd !== undefined && { 'x-routstr-cost-usd': cost.totalUsd }),
  };
}

function isJson(answer: UpstreamAnswer): boolean {
  return /^application\/(?:[a-z.-]+\+)?json\b/i.test(String(answer.headers['content-type'] ?? ''));
}
