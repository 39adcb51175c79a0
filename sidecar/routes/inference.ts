import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Credential, readCredential } from '../admission/credential.ts';
import { paymentRequired } from '../admission/payment-required.ts';
import { ConfigError } from '../config-error.ts';
import type { Context } from '../context.ts';
import { type Order, readExtraOrder, readOrder } from '../inference/order.ts';
import { refuseWhenBusy, serve } from '../inference/serve.ts';
import { inferencePaths, spellings } from '../paths.ts';

declare module 'fastify' {
  interface FastifyRequest {
    credential: Credential | null;
  }
}

/** A body larger than this is taken only from who could pay for something. */
const largeBody = 1024 * 1024;

/** What is for sale. A body is read only when a credential came with it that could be good. */
export function inferenceRoutes(server: FastifyInstance, context: Context): void {
  const { admission, offer, signal } = context;
  server.decorateRequest('credential', null);

  const paid = (method: 'POST' | 'GET', path: string, order: (request: FastifyRequest) => Order) => {
    for (const url of spellings(path)) {
      server.route({
        method,
        url,
        exposeHeadRoute: false,
        onRequest: async (request) => {
          const credential = readCredential(request.headers);
          if (!credential) throw paymentRequired('payment_required', { mints: offer().mints });
          refuseWhenBusy(context);
          if (isLarge(request)) await admission.vouch(credential, signal);
          request.credential = credential;
        },
        handler: (request, reply) => serve(order(request), request.credential!, request, reply, context),
      });
    }
  };
  for (const path of inferencePaths) paid('POST', path, (request) => readOrder(request, path, offer()));
  for (const extra of offer().extraPaths) {
    try {
      paid(extra.method, extra.path, (request) => readExtraOrder(request, extra, offer()));
    } catch (error) {
      if ((error as { code?: string }).code !== 'FST_ERR_DUPLICATED_ROUTE') throw error;
      throw new ConfigError([
        `EXTRA_PATHS: ${extra.path} is taken: choose a path that this server does not have`,
      ]);
    }
  }
}

/** A body whose length is not told may be as large as any. */
function isLarge({ headers }: FastifyRequest): boolean {
  if (headers['content-length'] !== undefined) return Number(headers['content-length']) > largeBody;
  return headers['transfer-encoding'] !== undefined;
}
