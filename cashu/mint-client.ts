import { lookup } from 'node:dns';
import { type Dispatcher, errors, Pool } from 'undici';
import { MintError } from './mint-error.ts';
import { namesPrivateNetwork, privateAddresses } from './private-address.ts';
import { publicLookup, type Resolve } from './public-lookup.ts';

/** A keyset of 64 keys has 6 KB, 256 signatures 60 KB. */
const maxResponseSize = 1024 * 1024;
const connections = 8;
const connectTimeout = 5_000;
/** Nutshell closes idle connections after 5 s; a request on one that it just closed has an unknown outcome. */
const keepAliveTimeout = 4_000;
/** From the first byte sent to the last one read. Bounds a mint that drips. */
const defaultTimeout = 15_000;
const longestRetryAfter = 3600;

export interface MintClientOptions {
  /** Normalised. */
  url: string;
  /** Unix ms. */
  clock: () => number;
  /** For one call, ms. */
  timeout?: number | undefined;
  /** Default: `dns.lookup`. */
  resolve?: Resolve | undefined;
}

/**
 * HTTP to one mint: never redirected, bounded in size, time and connections, and never into our own network unless the
 * mint's URL itself names it. Every failure is a {@link MintError} that says what may be assumed.
 */
export class MintClient {
  readonly #pool: Pool;
  readonly #prefix: string;
  readonly #clock: () => number;
  readonly #timeout: number;
  #blockedUntil = 0;

  constructor({ url, clock, timeout = defaultTimeout, resolve = lookup }: MintClientOptions) {
    const { origin, pathname, hostname } = new URL(url);
    const isPrivate = privateAddresses();
    const guard = namesPrivateNetwork(hostname, isPrivate)
      ? {}
      : { lookup: publicLookup(resolve, isPrivate) };
    this.#pool = new Pool(origin, {
      connections,
      pipelining: 1,
      allowH2: false,
      connect: { timeout: connectTimeout, ...guard },
      keepAliveTimeout,
      keepAliveMaxTimeout: keepAliveTimeout,
      headersTimeout: timeout,
      bodyTimeout: timeout,
      maxResponseSize,
    });
    this.#prefix = pathname.replace(/\/+$/, '');
    this.#clock = clock;
    this.#timeout = timeout;
  }

  /**
   * @returns the parsed JSON of a 200, of any shape: the caller validates it
   * @throws MintError
   */
  get(path: string, signal: AbortSignal): Promise<unknown> {
    return this.#call('GET', path, undefined, signal);
  }

  /** As {@link get}. */
  post(path: string, body: unknown, signal: AbortSignal): Promise<unknown> {
    return this.#call('POST', path, JSON.stringify(body), signal);
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  async #call(
    method: 'GET' | 'POST',
    path: string,
    body: string | undefined,
    signal: AbortSignal,
  ): Promise<unknown> {
    const blocked = Math.ceil((this.#blockedUntil - this.#clock()) / 1000);
    if (blocked > 0)
      throw new MintError('not_sent', 'The mint asked to be left alone', { retryAfter: blocked });
    if (signal.aborted) throw new MintError('not_sent', 'Stopped before it was sent');
    let response: Dispatcher.ResponseData;
    let text: string;
    try {
      response = await this.#pool.request({
        method,
        path: `${this.#prefix}${path}`,
        headers: {
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        body: body ?? null,
        signal: AbortSignal.any([signal, AbortSignal.timeout(this.#timeout)]),
      });
      text = await response.body.text();
    } catch (error) {
      throw asMintError(error);
    }
    if (response.statusCode === 429) throw this.#rateLimited(response.headers['retry-after']);
    const json = parse(text);
    if (response.statusCode === 200) {
      if (json === undefined)
        throw new MintError('unknown', 'The mint answered 200 with something that is not JSON');
      return json;
    }
    const message = `The mint answered ${response.statusCode}`;
    const refused =
      response.statusCode >= 400 && response.statusCode < 500 && isObject(json) && 'detail' in json;
    if (!refused) throw new MintError('unknown', message);
    throw new MintError('refused', message, {
      mintCode: typeof json.code === 'number' ? json.code : undefined,
    });
  }

  #rateLimited(header: string | string[] | undefined): MintError {
    const value = String(header ?? '');
    const seconds = /^\d+$/.test(value)
      ? Number(value)
      : Math.ceil((Date.parse(value) - this.#clock()) / 1000);
    const retryAfter = Number.isFinite(seconds) ? Math.min(Math.max(seconds, 1), longestRetryAfter) : 5;
    this.#blockedUntil = this.#clock() + retryAfter * 1000;
    return new MintError('rate_limited', 'The mint answered 429', { retryAfter });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function asMintError(error: unknown): MintError {
  if (error instanceof MintError) return error;
  const failed = wasConnecting(error);
  // Neither text nor cause is passed on: undici's errors may hold the request, and with it the proofs.
  const code = isObject(error) && typeof error.code === 'string' ? error.code : 'no code';
  return failed
    ? new MintError('not_sent', `No connection to the mint (${code})`)
    : new MintError('unknown', `No answer from the mint (${code})`);
}

/** Only then did nothing leave. A reset or a time-out later on may have come after the mint read all of it. */
function wasConnecting(error: unknown): boolean {
  if (error instanceof errors.ConnectTimeoutError) return true;
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.every(wasConnecting);
  if (!isObject(error)) return false;
  const certificate = /^(CERT_|ERR_TLS_CERT|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(String(error.code));
  return error.syscall === 'connect' || error.syscall === 'getaddrinfo' || certificate;
}
