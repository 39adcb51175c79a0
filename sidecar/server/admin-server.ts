import { type FastifyInstance, fastify } from 'fastify';
import type { Metrics } from '../metrics.ts';

export interface Health {
  draining: boolean;
  /** The upstream answered when it was last looked at. */
  upstream: boolean;
  /** The ledger was reached once since the start. Its later absence answers 503, it never removes endpoints. */
  ledgerReached: boolean;
  /** The ledger answers now. */
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
    const ready = !now.draining && now.upstream && now.ledgerReached;
    return reply.code(ready ? 200 : 503).send({ ready, ...now });
  });
  server.get('/metrics', async (_, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
  return server;
}
