import { randomUUIDv7 } from 'node:crypto';
import cors from '@fastify/cors';
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import type { Logger } from 'pino';
import type { MemoryBudget } from '../admission/memory-budget.ts';
import { HttpError } from '../errors.ts';
import type { Metrics } from '../metrics.ts';
import type { Settings } from '../settings.ts';
import type { OpenReplies } from './open-replies.ts';
import { bodyReader } from './read-body.ts';
import { toHttpError } from './to-http-error.ts';
import { UnreadableRequests } from './unreadable-request.ts';

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

const connectionLimits = { maxHeaderSize, headersTimeout: 30_000, connectionsCheckingInterval: 5_000 };

/** Exactly one spelling a path: whatever a proxy in front might read differently (`%`, `//`, `;`, dots, absolute form) is not found. */
const plainPath = /^(?:\/[A-Za-z0-9_~@:-][A-Za-z0-9._~@:-]*)*\/?$/;
/** A model's id may hold slashes, escaped by careful clients. */
const modelPath = /^(?:\/v1)?\/models\/[A-Za-z0-9._~@:%/-]+$/;

export interface PaidServerOptions {
  settings: Settings;
  budget: MemoryBudget;
  replies: OpenReplies;
  log: Logger;
  metrics: Metrics;
}

/** The server on the paid port, before its routes: its limits, its one error shape, CORS and request ids. */
export async function createPaidServer({
  settings,
  budget,
  replies,
  log,
  metrics,
}: PaidServerOptions): Promise<FastifyInstance> {
  const unreadable = new UnreadableRequests((status) => metrics.requests.inc({ endpoint: 'none', status }));
  const server = fastify({
    genReqId: () => randomUUIDv7(),
    bodyLimit: settings.BODY_LIMIT_BYTES,
    trustProxy: settings.TRUST_PROXY.length > 0 ? settings.TRUST_PROXY : false,
    // Slow senders: 30 s for the head, two minutes for the whole request.
    requestTimeout: 120_000,
    // A missing Host is refused below, in the shape of all errors.
    http: { ...connectionLimits, requireHostHeader: false },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    clientErrorHandler: unreadable.onClientError,
    frameworkErrors: (error, request, reply) => send(reply as FastifyReply, request.id, toHttpError(error)),
  });

  unreadable.watch(server);
  server.removeAllContentTypeParsers();
  server.decorateRequest('memory', null);
  server.addContentTypeParser('*', bodyReader(budget));
  // Each field of this line is ours, none can hold a credential: looking for one would cost three times the line.
  const answered = log.child({}, { redact: [] });
  server.addHook('onRequest', async (request, reply) => {
    reply.header('x-routstr-request-id', request.id);
    replies.begin();
    const began = performance.now();
    // Not fastify's onResponse, which never comes when the client leaves.
    reply.raw.once('close', () => {
      request.memory?.giveBack();
      replies.end();
      const path = request.routeOptions.url;
      const status = reply.raw.headersSent ? reply.raw.statusCode : 499;
      metrics.requests.inc({ endpoint: path ?? 'none', status });
      const ms = Math.round(performance.now() - began);
      answered.info({ request: request.id, method: request.method, path, status, ms }, 'answered');
    });
  });
  await server.register(cors, {
    origin: settings.CORS_ORIGINS.includes('*') ? '*' : settings.CORS_ORIGINS,
    methods: ['GET', 'POST', 'OPTIONS'],
    exposedHeaders,
    strictPreflight: false,
    optionsSuccessStatus: 204,
    maxAge: 86_400,
  });
  server.addHook('onRequest', async (request) => {
    if (request.raw.httpVersion === '1.1' && request.headers.host === undefined)
      throw new HttpError('invalid_request', { message: 'Send a Host header' });
    const path = request.raw.url?.split('?', 1)[0] ?? '';
    if (!plainPath.test(path) && !modelPath.test(path)) throw new HttpError('not_found');
    const encoding = request.headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      throw new HttpError('unsupported_content_encoding');
    }
  });
  server.setErrorHandler((error, request, reply) => {
    const answer = toHttpError(error);
    const level = answer.code === 'internal' ? 'error' : 'warn';
    if (answer.cause !== undefined && (answer.status >= 500 || answer.status === 424)) {
      log[level]({ err: answer.cause, request: request.id, code: answer.code }, 'request failed');
    }
    return send(reply, request.id, answer);
  });
  server.setNotFoundHandler((request, reply) => send(reply, request.id, new HttpError('not_found')));
  return server;
}

function send(reply: FastifyReply, requestId: string, error: HttpError): FastifyReply {
  return reply
    .code(error.status)
    .headers({ 'x-routstr-request-id': requestId, ...error.headers })
    .type('application/json; charset=utf-8')
    .send(error.body(requestId));
}
