import type { FastifyRequest } from 'fastify';
import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { HttpError } from '../errors.ts';

/** For routes whose body is a token at most: large ones are for who pays for them. */
export const smallBody = { bodyLimit: 128 * 1024 };

/** A small JSON body, checked: `read(request)` is what the schema says, or an `invalid_request` that names the field. */
export function jsonBody<T extends TSchema>(schema: T, hint: string): (request: FastifyRequest) => Static<T> {
  const validator = Compile(schema);
  return (request) => {
    const value = parse(request.body);
    if (validator.Check(value)) return value as Static<T>;
    const [error] = validator.Errors(value);
    const field = error?.instancePath.slice(1).replaceAll('/', '.');
    throw new HttpError('invalid_request', {
      message: field ? `${field}: ${error?.message}. ${hint}` : hint,
    });
  };
}

function parse(body: unknown): unknown {
  if (!Buffer.isBuffer(body) || body.length === 0) return {};
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new HttpError('invalid_json');
  }
}
