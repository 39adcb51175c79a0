import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Answer, BadRequestError, errorBody } from './answer.ts';
import { type Ask, readAsk } from './ask.ts';
import { speech, transcription } from './audio.ts';
import { chat } from './chat.ts';
import { completions } from './completions.ts';
import { Control } from './control.ts';
import { deliver } from './delivery.ts';
import { embeddings } from './embeddings.ts';
import { images } from './images.ts';
import { moderations, rerank } from './judging.ts';
import { messages } from './messages.ts';
import { modelList } from './models.ts';
import { type Recorded, Recorder } from './recorder.ts';
import { Repeats } from './repeats.ts';
import { responses } from './responses.ts';

const ENDPOINTS = new Map<string, (ask: Ask) => Answer>([
  ['/v1/chat/completions', chat],
  ['/v1/completions', completions],
  ['/v1/embeddings', embeddings],
  ['/v1/responses', responses],
  ['/v1/messages', messages],
  ['/v1/images/generations', images],
  ['/v1/images/edits', images],
  ['/v1/images/variations', images],
  ['/v1/audio/transcriptions', transcription],
  ['/v1/audio/translations', transcription],
  ['/v1/audio/speech', speech],
  ['/v1/moderations', moderations],
  ['/v1/rerank', rerank],
]);

export interface ModelOptions {
  /** 0 takes any free one. */
  port: number;
  host?: string;
  /** How many requests are remembered; 0 for benchmarks. */
  recorded?: number;
}

/** A running model server. */
export interface ModelServer {
  readonly url: string;
  readonly port: number;
  /** What was received, newest last. */
  requests(): readonly Recorded[];
  forget(): void;
  /** As `POST /control`. */
  fault(fault: string, times?: number): void;
  close(): Promise<void>;
}

/**
 * Starts a server that talks like OpenAI (and Anthropic) about nothing: the same request always gets the same answer.
 * What it can be made to do wrong is in fault.ts.
 */
export async function startModel(options: ModelOptions): Promise<ModelServer> {
  const recorder = new Recorder(options.recorded ?? 1000);
  const control = new Control(recorder);
  const repeats = new Repeats();

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      // Our own mistake: visible to whoever asked, and never an unhandled rejection.
      if (!response.headersSent) response.writeHead(500).end(String(error));
      else response.destroy();
    });
  });
  server.keepAliveTimeout = 75_000;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await read(request);
    const { method = '', url = '' } = request;
    const path = url.split('?', 1)[0] as string;
    if (path.startsWith('/control')) {
      const [status, json] = control.handle(method, path, body);
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
      return;
    }
    const recorded = recorder.add({ method, path, headers: request.headers }, body);
    if (method === 'GET' && path === '/health') return answerNow(response, 200, { status: 'ok' }, recorded);
    if (method === 'GET' && path === '/v1/models') return answerNow(response, 200, modelList(), recorded);
    const endpoint = method === 'POST' ? ENDPOINTS.get(path) : undefined;
    if (!endpoint) return answerNow(response, 404, errorBody(`${method} ${path} is unknown`), recorded);
    const standing = control.take();

    const asked = request.headers['x-stub-fault'] !== undefined || Object.keys(standing).length > 0;
    const known = asked ? undefined : repeats.find(path, body);
    if (known) return finish(response, known, recorded);

    try {
      const ask = await readAsk(request.headers, body, standing);
      const answer = endpoint(ask);
      const faultless = Object.keys(ask.fault).length === 0;
      if (faultless && answer.kind === 'json') repeats.keep(path, body, answer.body);
      await deliver(response, answer, ask.fault, recorded);
    } catch (error) {
      if (!(error instanceof BadRequestError)) throw error;
      answerNow(response, 400, errorBody(error.message, 'invalid_request_error', error.param), recorded);
    }
  }

  server.listen(options.port, options.host ?? '127.0.0.1');
  await once(server, 'listening');
  const { address, port } = server.address() as AddressInfo;
  return {
    url: `http://${address}:${port}`,
    port,
    requests: () => recorder.all(),
    forget: () => recorder.clear(),
    fault: (fault, times) => control.set(fault, times),
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
}

function answerNow(response: ServerResponse, status: number, json: object, recorded: Recorded): void {
  finish(response, Buffer.from(JSON.stringify(json)), recorded, status);
}

function finish(response: ServerResponse, body: Buffer, recorded: Recorded, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length });
  recorded.sentBytes = body.length;
  response.end(body, () => {
    recorded.outcome = 'finished';
  });
}
