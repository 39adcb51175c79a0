import { timingSafeEqual } from 'node:crypto';
import { type FastifyInstance, fastify } from 'fastify';

/**
 * `/drain`, alone on its port: it is called by a preStop hook, and who can call it can take the model off the market.
 * @param token what `x-routstr-drain` must carry; without one only this machine may call
 * @param drained drains, and resolves when nothing runs any more
 */
export function createDrainServer(token: string | undefined, drained: () => Promise<void>): FastifyInstance {
  const server = fastify({ forceCloseConnections: 'idle' });
  server.route({
    method: ['GET', 'POST'],
    url: '/drain',
    handler: async (request, reply) => {
      if (token === undefined && !/^(?:127\.|::1$|::ffff:127\.)/.test(request.ip)) {
        return reply.code(403).send({ error: 'Only this machine may drain: set DRAIN_TOKEN for others' });
      }
      if (token !== undefined && !same(token, request.headers['x-routstr-drain'])) {
        return reply.code(403).send({ error: 'x-routstr-drain is missing or wrong' });
      }
      await drained();
      return { status: 'drained' };
    },
  });
  return server;
}

function same(expected: string, given: string | string[] | undefined): boolean {
  const a = Buffer.from(expected);
  const b = Buffer.from(String(given ?? ''));
  return a.length === b.length && timingSafeEqual(a, b);
}
