import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { apiFamily } from '../../sidecar/body/api-family.ts';

/** A model that answers whatever reaches it, and keeps count: each of these has to be paid. */
export interface WillingUpstream extends AsyncDisposable {
  /** With its `/v1`. */
  url: string;
  readonly served: number;
  /** What should never have reached it. */
  readonly complaints: readonly string[];
}

/** @param credential the only one it may see */
export async function startWillingUpstream(credential: string): Promise<WillingUpstream> {
  let served = 0;
  const complaints: string[] = [];
  const server = createServer(async (request, response) => {
    const body = await buffer(request).catch(() => undefined);
    if (body === undefined) return;
    if (request.method === 'GET') return void response.end('{"object":"list","data":[]}');
    served++;
    const complaint = complaintOf(request, body, credential);
    if (complaint !== undefined) complaints.push(complaint);
    answer(request, response, body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    get served() {
      return served;
    },
    complaints,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

const private_ =
  /^(?:cookie|x-cashu|x-forwarded-.*|forwarded|x-api-key|proxy-.*|key-expiry-time|refund-lnurl)$/;

function complaintOf(request: IncomingMessage, body: Buffer, credential: string): string | undefined {
  const { url = '', headers } = request;
  if (headers.authorization !== `Bearer ${credential}`) return `${url}: another credential than its own`;
  const leaked = Object.keys(headers).find((name) => private_.test(name) && headers[name] !== credential);
  if (leaked !== undefined) return `${url}: the header ${leaked}`;
  if (!/^\/v1\/[a-z/]+$/.test(url)) return `the path ${url}`;
  if (isForm(headers['content-type'])) return undefined;
  try {
    JSON.parse(body.toString());
    return undefined;
  } catch {
    return `${url}: a body that is no JSON`;
  }
}

const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };

function answer({ url = '', headers }: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const family = apiFamily(url);
  if (isStream(headers['content-type'], body)) {
    const events = [{ choices: [{ index: 0, delta: { content: 'a' } }] }, { choices: [], usage }];
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const event of events) response.write(`data: ${JSON.stringify(event)}\n\n`);
    response.end('data: [DONE]\n\n');
  } else if (family === 'audio_speech') {
    response.writeHead(200, { 'content-type': 'audio/mpeg' }).end('sound');
  } else {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ choices: [{ message: { content: 'a' } }], data: [{}], text: 'a', usage }));
  }
}

function isStream(type: string | undefined, body: Buffer): boolean {
  if (isForm(type)) return /name="?stream"?\r\n\r\ntrue/i.test(body.toString('latin1'));
  try {
    const { stream } = JSON.parse(body.toString());
    return stream === true;
  } catch {
    return false;
  }
}

function isForm(type = ''): boolean {
  return /^multipart\//i.test(type);
}
