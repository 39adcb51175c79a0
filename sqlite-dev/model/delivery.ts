import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as delay, setImmediate as tick } from 'node:timers/promises';
import { createGzip, gzipSync } from 'node:zlib';
import { type Answer, errorBody, type ServerEvent } from './answer.ts';
import { distortUsage } from './distort.ts';
import type { Fault } from './fault.ts';
import type { Recorded } from './recorder.ts';

/** Sends an answer the way the fault wants it. Ends when it is sent, cut, or the client is gone. */
export async function deliver(
  response: ServerResponse,
  answer: Answer,
  fault: Fault,
  recorded: Recorded,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => {
    if (recorded.outcome === 'running') recorded.outcome = response.writableFinished ? 'finished' : 'aborted';
    gone.abort();
  });
  try {
    if (fault.slow !== undefined) await delay(fault.slow, undefined, { signal: gone.signal });
    if (fault.hang) return;
    if (fault.reset === 'before') return cut(response, recorded);
    const instead = failure(fault);
    if (instead) return await sendWhole(response, instead, {}, recorded);
    if (answer.kind === 'stream')
      return await sendStream(response, answer.events, fault, recorded, gone.signal);
    await sendWhole(response, whole(answer, fault), fault, recorded);
  } catch (error) {
    if (!gone.signal.aborted) throw error;
  }
}

interface Whole {
  status: number;
  type: string;
  body: Buffer;
}

function failure({ status, html }: Fault): Whole | undefined {
  if (html !== undefined) {
    const page = `<!doctype html><title>${html}</title><h1>${html}</h1><p>nothing to see here</p>`;
    return { status: html, type: 'text/html', body: Buffer.from(page) };
  }
  if (status === undefined) return undefined;
  const type = status === 429 ? 'rate_limit_error' : status < 500 ? 'invalid_request_error' : 'server_error';
  const body = Buffer.from(JSON.stringify(errorBody(`asked to answer ${status}`, type)));
  return { status, type: 'application/json', body };
}

function whole(answer: Exclude<Answer, { kind: 'stream' }>, fault: Fault): Whole {
  const status = fault.success ?? 200;
  if (answer.kind === 'bytes') return { status, type: answer.type, body: answer.body };
  const json = distortUsage(answer.body, fault.usage);
  const text = JSON.stringify(fault.huge === undefined ? json : { padding: 'x'.repeat(fault.huge), ...json });
  const body = Buffer.from(fault.broken ? text.slice(0, -Math.ceil(text.length / 4)) : text);
  return { status: answer.status ?? status, type: 'application/json', body };
}

async function sendWhole(
  response: ServerResponse,
  { status, type, body }: Whole,
  fault: Fault,
  recorded: Recorded,
): Promise<void> {
  const payload = fault.gzip ? gzipSync(body) : body;
  response.writeHead(status, {
    'content-type': type,
    'content-length': Math.max(payload.length + (fault.length ?? 0), 0),
    ...(fault.gzip && { 'content-encoding': 'gzip' }),
    ...(status === 429 && { 'retry-after': '1' }),
  });
  if (fault.reset === 'headers') {
    response.flushHeaders();
    await tick();
    return cut(response, recorded);
  }
  if (typeof fault.reset === 'number' || (fault.length ?? 0) > 0) {
    const part = typeof fault.reset === 'number' ? payload.subarray(0, fault.reset) : payload;
    recorded.sentBytes += part.length;
    // Only once they have left: what is cut off must not take them along.
    response.write(part, () => cut(response, recorded));
    return;
  }
  recorded.sentBytes += payload.length;
  response.end(payload);
}

async function sendStream(
  response: ServerResponse,
  events: Iterable<ServerEvent>,
  fault: Fault,
  recorded: Recorded,
  signal: AbortSignal,
): Promise<void> {
  response.writeHead(fault.success ?? 200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    ...(fault.gzip && { 'content-encoding': 'gzip' }),
  });
  const gzip = fault.gzip ? createGzip() : undefined;
  gzip?.pipe(response);
  const out = gzip ?? response;
  const write = async (bytes: Uint8Array): Promise<void> => {
    recorded.sentBytes += bytes.length;
    if (!out.write(bytes)) await once(out, 'drain', { signal });
    if (gzip) await new Promise<void>((flushed) => gzip.flush(() => flushed()));
  };
  if (fault.reset === 'headers') {
    response.flushHeaders();
    await tick();
    return cut(response, recorded);
  }
  for (const event of events) {
    if (signal.aborted) return;
    if (fault.nodone && event.data === '[DONE]') continue;
    if (typeof fault.reset === 'number' && recorded.sentEvents >= fault.reset) {
      await tick();
      return cut(response, recorded);
    }
    const failed = fault.error && recorded.sentEvents === 2;
    const shown = failed ? { data: errorBody('asked to fail', 'server_error') } : event;
    const bytes = Buffer.from(format(shown, fault, recorded.sentEvents));
    if (fault.split) {
      for (const byte of bytes) {
        await write(Uint8Array.of(byte));
        await tick(undefined, { signal });
      }
    } else await write(bytes);
    recorded.sentEvents++;
    if (failed) break;
    // One write an event, as a model makes them, and room for others in between.
    await (fault.drip === undefined ? tick(undefined, { signal }) : delay(fault.drip, undefined, { signal }));
  }
  out.end();
}

function format({ event, data }: ServerEvent, fault: Fault, index: number): string {
  const end = fault.crlf ? '\r\n' : '\n';
  const text = typeof data === 'string' ? data : JSON.stringify(distortUsage(data, fault.usage));
  const shown = fault.broken && index === 2 ? text.slice(0, Math.ceil(text.length / 2)) : text;
  const comment = fault.heartbeat ? `: keep-alive${end}${end}` : '';
  return `${comment}${event === undefined ? '' : `event: ${event}${end}`}data: ${shown}${end}${end}`;
}

function cut(response: ServerResponse, recorded: Recorded): void {
  recorded.outcome = 'cut';
  response.socket?.resetAndDestroy();
}
