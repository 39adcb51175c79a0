import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Credential, readCredential } from '../admission/credential.ts';
import { paymentRequired } from '../admission/payment-required.ts';
import { HttpError } from '../errors.ts';
import { type Order, readExtraOrder, readOrder } from '../inference/order.ts';
import { refuseWhenBusy, serve } from '../inference/serve.ts';
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
          request.credential = credential;
        },
        handler: (request, reply) => serve(order(request), request.credential!, request, reply, context),
      });
    }
  };
  for (const path of inferencePaths) paid('POST', path, (request) => readOrder(request, path, offer()));
  for (const { method, path } of offer().extraPaths) {
    paid(method, path, (request) => {
      // Its price may have changed since the start, or it may not be for sale any more.
      const extra = offer().extraPaths.find((sold) => sold.path === path && sold.method === method);
      if (!extra) throw new HttpError('not_found');
      return readExtraOrder(request, extra, offer());
    });
  }
}
