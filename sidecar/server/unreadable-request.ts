import { randomUUIDv7 } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { HttpError } from '../errors.ts';

/** ms the rest of a refused request is read for, unseen: closed at once, the refusal would not reach its client. */
const linger = 1_000;

/**
 * Answers what Node's parser refuses before there is a request to route, and what it would answer itself without a word:
 * in the one shape of errors, then the connection ends. Nothing of such a request ran.
 */
export class UnreadableRequests {
  readonly #refused: (status: number) => void;
  readonly #closing = new WeakSet<Duplex>();
  /** Requests of a connection that are not answered yet: pipelined ones come before the one that can't be read. */
  readonly #open = new WeakMap<Duplex, number>();

  /** @param refused told of each one's status */
  constructor(refused: (status: number) => void) {
    this.#refused = refused;
  }

  /** For fastify's `clientErrorHandler`. */
  readonly onClientError = (error: Error & { code?: string }, socket: Socket): void => {
    if (error.code === 'ECONNRESET' || socket.destroyed) return void socket.destroy();
    // An answer written now would be taken for that of a request before it.
    if ((this.#open.get(socket) ?? 0) > 0) return void socket.destroy();
    this.#refuse(socket, errorOf(error.code));
  };

  /** Once the server exists. */
  watch({ server }: FastifyInstance): void {
    server.on('request', (request: IncomingMessage, response: ServerResponse) =>
      this.#count(request, response),
    );
    server.on('checkExpectation', (request: IncomingMessage) => {
      this.#refuse(
        request.socket,
        new HttpError('invalid_request', { status: 417, message: 'Send no Expect header' }),
      );
    });
    server.on('connect', (_: IncomingMessage, socket: Duplex) => {
      this.#refuse(socket, new HttpError('not_found'));
    });
  }

  #count({ socket }: IncomingMessage, response: ServerResponse): void {
    this.#open.set(socket, (this.#open.get(socket) ?? 0) + 1);
    response.once('close', () => this.#open.set(socket, (this.#open.get(socket) ?? 1) - 1));
  }

  #refuse(socket: Duplex, error: HttpError): void {
    if (this.#closing.has(socket)) return;
    this.#closing.add(socket);
    this.#refused(error.status);
    const id = randomUUIDv7();
    const body = error.body(id);
    const head = [
      `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}`,
      'connection: close',
      'content-type: application/json; charset=utf-8',
      `content-length: ${Buffer.byteLength(body)}`,
      `x-routstr-request-id: ${id}`,
    ];
    socket.on('error', () => {});
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
    socket.resume();
    setTimeout(() => socket.destroy(), linger).unref();
  }
}

function errorOf(code: string | undefined): HttpError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new HttpError('invalid_request', {
        status: 431,
        message: 'The headers are larger than this server takes',
      });
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new HttpError('request_too_large');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new HttpError('invalid_request', { status: 408, message: 'The request did not arrive in time' });
    default:
      return new HttpError('invalid_request', {
        message: 'This is not an HTTP/1.1 request that can be read',
      });
  }
}
