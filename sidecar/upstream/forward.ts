import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { UpstreamFailure } from './failure.ts';

export interface UpstreamRequest {
  method: 'POST' | 'GET';
  /** On the upstream's origin, with its base path. */
  path: string;
  headers: Record<string, string>;
  /** The body in pieces: the client's own bytes with ours between them. */
  body: readonly Buffer[];
}

/** Who takes an answer's body. Calls come in order, and none after `end` or `failed`. */
export interface BodySink {
  data(chunk: Buffer): void;
  end(): void;
  failed(failure: UpstreamFailure): void;
}

/** Backpressure and the end: what a reader of the body can do to the upstream. */
export interface Flow {
  pause(): void;
  resume(): void;
  /** Cancels the upstream request. Its sink, if it was not at its end, hears of it as a failure, `aborted`: nobody may wait on. */
  abort(): void;
}

export interface UpstreamAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  flow: Flow;
  /** Hands over the body, from its first byte on. To be called once, or `flow.abort()` instead. */
  consume(sink: BodySink): void;
}

export interface UpstreamEvents {
  /** Receives a function that cancels the request while its answer's head is awaited. */
  onAbort: (abort: () => void) => void;
  /** The request is on its way to the model, no longer waiting for a connection. */
  onSent: () => void;
}

/** Largest body that is copied into one piece; above it the copy costs more than writing the pieces one by one. */
const joinBelow = 256 * 1024;

/**
 * Sends a request upstream and resolves with the head of its answer. The body goes straight from undici's parser to the
 * sink: no stream object in between, one call a chunk.
 * @throws UpstreamFailure when there was no answer
 */
export function forward(
  upstream: Dispatcher,
  origin: string,
  request: UpstreamRequest,
  { onAbort, onSent }: UpstreamEvents,
): Promise<UpstreamAnswer> {
  return new Promise((resolve, reject) => {
    const answer = new Answer(resolve, reject, onSent);
    onAbort(() => answer.abort());
    upstream.dispatch(
      {
        origin,
        path: request.path,
        method: request.method,
        headers: request.headers,
        body: bodyOf(request),
      },
      answer,
    );
  });
}

function bodyOf({ method, body }: UpstreamRequest): Buffer | Readable | null {
  if (method === 'GET') return null;
  if (body.length === 1) return body[0]!;
  const length = body.reduce((sum, piece) => sum + piece.length, 0);
  return length < joinBelow ? Buffer.concat(body, length) : Readable.from(body, { objectMode: false });
}

class Answer implements Dispatcher.DispatchHandler, Flow {
  readonly #resolve: (answer: UpstreamAnswer) => void;
  readonly #reject: (failure: UpstreamFailure) => void;
  readonly #onSent: () => void;
  #controller: Dispatcher.DispatchController | undefined;
  #sink: BodySink | undefined;
  /** What came before the sink did. */
  #early: Buffer[] = [];
  #over: 'no' | 'ended' | UpstreamFailure = 'no';
  #aborted = false;

  constructor(
    resolve: (answer: UpstreamAnswer) => void,
    reject: (failure: UpstreamFailure) => void,
    onSent: () => void,
  ) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#onSent = onSent;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#aborted) controller.abort(new UpstreamFailure('aborted'));
    else this.#onSent();
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return;
    this.#resolve({ status, headers, flow: this, consume: (sink) => this.#consume(sink) });
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#aborted) return;
    if (this.#sink) this.#sink.data(chunk);
    else this.#early.push(chunk);
  }

  onResponseEnd(): void {
    if (this.#aborted) return;
    this.#over = 'ended';
    this.#sink?.end();
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    if (this.#aborted) return;
    const failure = UpstreamFailure.from(error);
    this.#over = failure;
    this.#reject(failure);
    this.#sink?.failed(failure);
  }

  pause(): void {
    this.#controller?.pause();
  }

  resume(): void {
    if (!this.#aborted) this.#controller?.resume();
  }

  abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#early = [];
    const failure = new UpstreamFailure('aborted', { sent: this.#controller !== undefined });
    this.#controller?.abort(failure);
    this.#reject(failure);
    if (this.#over !== 'no') return;
    this.#over = failure;
    this.#sink?.failed(failure);
  }

  #consume(sink: BodySink): void {
    this.#sink = sink;
    for (const chunk of this.#early) sink.data(chunk);
    this.#early = [];
    if (this.#over === 'ended') sink.end();
    else if (this.#over !== 'no') sink.failed(this.#over);
  }
}
