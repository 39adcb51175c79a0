import { Agent } from 'undici';
import { HttpError } from '../errors.ts';
import { UpstreamFailure } from './failure.ts';
import { forward, type UpstreamAnswer, type UpstreamEvents, type UpstreamRequest } from './forward.ts';

export interface UpstreamOptions {
  /** With its base path, `/v1` as a rule. */
  baseUrl: string;
  /** ms it may stay silent, before the head of an answer and within it. */
  silence: number;
  /** Connections to it at once. */
  connections: number;
}

/**
 * The model behind this sidecar. No redirects, no retries: a request may have run although its answer was lost, and a
 * second run would be the provider's loss.
 */
export class Upstream {
  readonly #agent: Agent;
  readonly #origin: string;
  readonly #basePath: string;
  #healthy: boolean | undefined;

  constructor({ baseUrl, silence, connections }: UpstreamOptions) {
    const url = new URL(baseUrl);
    this.#origin = url.origin;
    this.#basePath = url.pathname.replace(/\/+$/, '');
    this.#agent = new Agent({
      connections,
      pipelining: 1,
      headersTimeout: silence,
      bodyTimeout: silence,
      connect: { timeout: 10_000 },
      // Python servers close idle connections after 5 s; a request sent into that would be lost.
      keepAliveTimeout: 4_000,
      keepAliveMaxTimeout: 4_000,
      maxHeaderSize: 64 * 1024,
    });
  }

  /** Whether the last look at it found it answering; undefined before the first. */
  get healthy(): boolean | undefined {
    return this.#healthy;
  }

  /**
   * @param path as it is sold: below `/v1` of the base URL, or beside it when it has none (vLLM's `/tokenize`)
   * @throws UpstreamFailure
   */
  send(
    path: string,
    request: Omit<UpstreamRequest, 'path'>,
    events: UpstreamEvents,
  ): Promise<UpstreamAnswer> {
    const full = path.startsWith('/v1/')
      ? this.#basePath + path.slice('/v1'.length)
      : this.#basePath.replace(/\/v1$/, '') + path;
    return forward(this.#agent, this.#origin, { ...request, path: full }, events);
  }

  /** One look at its model list. Anything it says, short of a server error, means that it is there. */
  async look(headers: Record<string, string>, signal: AbortSignal): Promise<boolean> {
    try {
      const { statusCode, body } = await this.#agent.request({
        origin: this.#origin,
        path: `${this.#basePath}/models`,
        method: 'GET',
        headers,
        signal,
        headersTimeout: 5_000,
        bodyTimeout: 5_000,
      });
      await body.dump({ limit: 1024 * 1024 });
      this.#healthy = statusCode < 500;
    } catch {
      this.#healthy = false;
    }
    return this.#healthy;
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }
}

/**
 * What a client is told when the model gave no usable answer. Nothing is charged for any of these.
 * Never a 401, 402 or 403 of the upstream's own: its client would think its key or balance is meant.
 */
export function upstreamFailed(
  status: number | undefined,
  options: { retryAfter?: string; message?: string; cause?: unknown } = {},
): HttpError {
  if (status === 429) {
    const retryAfter = /^\d{1,5}$/.test(options.retryAfter ?? '') ? Number(options.retryAfter) : 1;
    return new HttpError('UPSTREAM_RATE_LIMIT', { retryAfter, fields: { upstream_status: 429 } });
  }
  const kind = options.cause instanceof UpstreamFailure ? options.cause.kind : undefined;
  // Nobody but a drain gives up while the client is there: it had no time left for this answer.
  if (kind === 'aborted') return new HttpError('draining', { retryAfter: 1, cause: options.cause });
  const timeout = kind === 'timeout';
  const message = timeout ? 'The model did not answer in time' : options.message;
  return new HttpError('UPSTREAM_UNAVAILABLE', {
    ...(message !== undefined && { message }),
    headers: { 'x-routstr-error-scope': 'upstream' },
    fields: { upstream_status: status ?? null },
    cause: options.cause,
  });
}
