/**
 * Why there was no whole answer.
 * - `unreachable`: no connection, so the model did nothing.
 * - `timeout`: it stayed silent for longer than it may.
 * - `reset`: the connection broke after the request was on its way.
 * - `aborted`: we cancelled it, since its client had gone or this server had to.
 */
export type FailureKind = 'unreachable' | 'timeout' | 'reset' | 'aborted';

const unreachable = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);
const timeout = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ETIMEDOUT']);

export class UpstreamFailure extends Error {
  readonly kind: FailureKind;
  /** The model may have got the request. */
  readonly sent: boolean;

  constructor(kind: FailureKind, { sent = true, cause }: { sent?: boolean; cause?: unknown } = {}) {
    super(`The upstream request failed: ${kind}`, { cause });
    this.name = 'UpstreamFailure';
    this.kind = kind;
    this.sent = sent;
  }

  /** Maps each error of undici and of the socket to one kind. */
  static from(error: Error & { code?: string }): UpstreamFailure {
    if (error instanceof UpstreamFailure) return error;
    const code = error.code ?? '';
    const kind = unreachable.has(code) ? 'unreachable' : timeout.has(code) ? 'timeout' : 'reset';
    return new UpstreamFailure(kind, { cause: error });
  }
}
