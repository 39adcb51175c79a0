import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import type { MemoryBudget, MemoryShare } from '../admission/memory-budget.ts';
import { HttpError } from '../errors.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What this request's body takes of the memory for bodies, until its answer is out. */
    memory: MemoryShare | null;
  }
}

/** A request's body, whole and untouched, within its route's limit and what all bodies together may take. */
export function bodyReader(budget: MemoryBudget) {
  return (request: FastifyRequest, payload: Readable): Promise<Buffer> => {
    const limit = request.routeOptions.bodyLimit;
    const memory = budget.share(request.ip);
    request.memory = memory;
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let length = 0;
      const refuse = (error: unknown) => {
        payload.removeAllListeners('data').resume();
        reject(error);
      };
      if (Number(request.headers['content-length'] ?? 0) > limit) return refuse(tooLarge());
      payload.on('data', (chunk: Buffer) => {
        length += chunk.length;
        try {
          if (length > limit) throw tooLarge();
          memory.add(chunk.length);
          chunks.push(chunk);
        } catch (error) {
          refuse(error);
        }
      });
      payload.once('error', reject);
      payload.once('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length)));
    });
  };
}

/** The rest of such a body is not read: the connection ends with the answer. */
function tooLarge(): HttpError {
  return new HttpError('request_too_large', { headers: { connection: 'close' } });
}
