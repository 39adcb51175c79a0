import { fastify } from 'fastify';
import { Pool } from 'undici';

/** The same with the framework the sidecar uses, in the way its users write it. */
const pool = new Pool(process.env.UPSTREAM!, { connections: 1024, pipelining: 1 });
const server = fastify();
server.removeAllContentTypeParsers();
server.addContentTypeParser('*', (_, payload, done) => done(null, payload));
server.all('/*', async (request, reply) => {
  const { connection, host, 'keep-alive': _, 'transfer-encoding': __, ...headers } = request.headers;
  const answer = await pool.request({
    path: request.url,
    method: request.method as 'POST',
    headers,
    body: request.body as NodeJS.ReadableStream as never,
  });
  const { connection: ___, 'keep-alive': ____, 'transfer-encoding': _____, ...rest } = answer.headers;
  return reply.code(answer.statusCode).headers(rest).send(answer.body);
});
process.stdout.write(`${await server.listen({ port: 0, host: '127.0.0.1' })}\n`);
