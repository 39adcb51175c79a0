import type { FastifyInstance } from 'fastify';
import { type Credential, readCredential } from '../admission/credential.ts';
import { paymentRequired } from '../admission/payment-required.ts';
import { readExtraOrder, readOrder } from '../inference/order.ts';
import { refuseWhenBusy, serve } from '../inference/serve.ts';
import type { ExtraPath } from '../offer.ts';
import type { Context } from './context.ts';
import { inferencePaths, spellings } from './paths.ts';

declare module 'fastify' {
  interface FastifyRequest {
    credential: Credential | null;
  }
}

/** What is for sale. A body is read only when a credential came with it that could be good. */
export function inferenceRoutes(server: FastifyInstance, context: Context): void {
  const { offer } = context;
  server.decorateRequest('credential', null);

  const paid = (method: 'POST' | 'GET', path: string, extra?: ExtraPath) => {
    for (const url of spellings(path)) {
      server.route({
        method,
        url,
        exposeHeadRoute: false,
        onRequest: async (request) => {
          const credential = readCredential(request.headers);
          if (!credential) throw paymentRequired('payment_required', { mints: offer().mints });
          refuseWhenBusy(context);
          request.credential = credential;
        },
        handler: (request, reply) => {
          const order = extra ? readExtraOrder(request, extra, offer()) : readOrder(request, path, offer());
          return serve(order, request.credential!, request, reply, context);
        },
      });
    }
  };
  for (const path of inferencePaths) paid('POST', path);
  for (const extra of offer().extraPaths) paid(extra.method, extra.path, extra);
}
