import { type FastifyInstance, fastify } from 'fastify';
import type { Metrics } from '../metrics.ts';

export interface Health {
  draining: boolean;
  /** The upstream answered when it was last looked at. */
  upstream: boolean;
  /** The ledger answers now. For people: nothing starts without one, and its later absence never removes endpoints. */
  ledger: boolean;
  /** Changes with every file that was loaded. */
  catalogue: string;
}

/** `/livez`, `/readyz` and `/metrics`, on a port of their own that no customer reaches. */
export function createAdminServer(health: () => Health, metrics: Metrics): FastifyInstance {
  const server = fastify({ forceCloseConnections: 'idle' });
  server.get('/livez', async () => ({ status: 'ok' }));
  server.get('/readyz', async (_, reply) => {
    const now = health();
    const ready = !now.draining && now.upstream;
    return reply.code(ready ? 200 : 503).send({ ready, ...now });
  });
  server.get('/metrics', async (_, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
  return server;
}
