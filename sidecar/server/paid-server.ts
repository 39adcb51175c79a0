import { randomUUIDv7 } from 'node:crypto';
import cors from '@fastify/cors';
import { type FastifyError, type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import type { Logger } from 'pino';
import { LedgerUnavailableError } from '../../ledger/index.ts';
import { PriceUnavailableError } from '../../pricing/errors.ts';
import type { MemoryBudget } from '../admission/memory-budget.ts';
import { RequestError } from '../body/request-error.ts';
import { type ErrorCode, HttpError } from '../errors.ts';
import type { Metrics } from '../metrics.ts';
import type { Offer } from '../offer.ts';
import { bodyReader } from './read-body.ts';

const exposedHeaders = [
  'x-routstr-request-id',
  'x-cashu',
  'x-routstr-cost-msats',
  'x-routstr-cost-usd',
  'x-routstr-input-cost-msats',
  'x-routstr-output-cost-msats',
  'retry-after',
];

/** A token in a header may be this long; Node's default would refuse it. */
const maxHeaderSize = 96 * 1024;

/** Exactly one spelling a path: whatever a proxy in front might read differently (`%`, `//`, `;`, dots, absolute form) is not found. */
const plainPath = /^(?:\/[A-Za-z0-9_~@:-][A-Za-z0-9._~@:-]*)*\/?$/;
/** A model's id may hold slashes, escaped by careful clients. */
const modelPath = /^(?:\/v1)?\/models\/[A-Za-z0-9._~@:%/-]+$/;

/** The server on the paid port, before its routes: its limits, its one error shape, CORS and request ids. */
export async function createPaidServer(
  offer: () => Offer,
  budget: MemoryBudget,
  log: Logger,
  metrics: Metrics,
): Promise<FastifyInstance> {
  const { settings } = offer();
  const server = fastify({
    genReqId: () => randomUUIDv7(),
    bodyLimit: settings.BODY_LIMIT_BYTES,
    trustProxy: settings.TRUST_PROXY.length > 0 ? settings.TRUST_PROXY : false,
    // Slow senders: 30 s for the head, two minutes for the whole request.
    requestTimeout: 120_000,
    http: { maxHeaderSize, headersTimeout: 30_000, connectionsCheckingInterval: 5_000 },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => send(reply as FastifyReply, request.id, toHttpError(error)),
  });

  server.removeAllContentTypeParsers();
  server.decorateRequest('memory', null);
  server.addContentTypeParser(
    '*',
    bodyReader(() => offer().settings.BODY_LIMIT_BYTES, budget),
  );
  server.addHook('onRequest', async (request, reply) => {
    reply.header('x-routstr-request-id', request.id);
    const path = request.raw.url?.split('?', 1)[0] ?? '';
    if (!plainPath.test(path) && !modelPath.test(path)) throw new HttpError('not_found');
    const encoding = request.headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity')
      throw new HttpError('unsupported_content_encoding');
  });
  await server.register(cors, {
    origin: settings.CORS_ORIGINS.includes('*') ? '*' : settings.CORS_ORIGINS,
    methods: ['GET', 'POST', 'OPTIONS'],
    exposedHeaders,
    strictPreflight: false,
    optionsSuccessStatus: 204,
    maxAge: 86_400,
  });
  server.setErrorHandler((error, request, reply) => {
    const answer = toHttpError(error);
    if (answer.status >= 500 && answer.code === 'internal')
      log.error({ err: error, request: request.id }, 'request failed');
    return send(reply, request.id, answer);
  });
  server.setNotFoundHandler((request, reply) => send(reply, request.id, new HttpError('not_found')));
  // Each field of this line is ours, none can hold a credential: looking for one would cost three times the line.
  const answered = log.child({}, { redact: [] });
  server.addHook('onResponse', async (request, reply) => {
    request.memory?.giveBack();
    metrics.requests.inc({ endpoint: request.routeOptions.url ?? 'none', status: reply.statusCode });
    answered.info(
      {
        request: request.id,
        method: request.method,
        path: request.routeOptions.url,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
      },
      'answered',
    );
  });
  return server;
}

/** Any error as the answer it becomes. What nobody foresaw is `internal`, without its text. */
function toHttpError(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof LedgerUnavailableError)
    return new HttpError('ledger_unavailable', { retryAfter: 2, cause: error });
  if (error instanceof PriceUnavailableError)
    return new HttpError('price_unavailable', { retryAfter: 60, cause: error });
  if (error instanceof RequestError) return new HttpError(error.code, { message: error.message });
  const { code, statusCode } = (error ?? {}) as FastifyError;
  const known: Partial<Record<string, ErrorCode>> = {
    FST_ERR_CTP_BODY_TOO_LARGE: 'request_too_large',
    FST_ERR_CTP_INVALID_JSON_BODY: 'invalid_json',
    FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid_json',
    FST_ERR_NOT_FOUND: 'not_found',
    FST_ERR_BAD_URL: 'not_found',
  };
  const answer = known[code];
  if (answer) return new HttpError(answer, { cause: error });
  if (statusCode !== undefined && statusCode < 500)
    return new HttpError('invalid_request', { status: statusCode, cause: error });
  return new HttpError('internal', { cause: error });
}

function send(reply: FastifyReply, requestId: string, error: HttpError): FastifyReply {
  return reply
    .code(error.status)
    .headers({ 'x-routstr-request-id': requestId, ...error.headers })
    .type('application/json; charset=utf-8')
    .send(error.body(requestId));
}
