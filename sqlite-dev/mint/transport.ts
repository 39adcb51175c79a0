import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from './faults.ts';

export interface Answer {
  status: number;
  body: string;
}

/** Faults of the connection, which know no mint. */
type Disturbance = Extract<Fault, { when?: unknown }>;

function isDisturbance(fault: Fault): fault is Disturbance {
  return ['drop', 'delay', 'status', 'html', 'redirect'].includes(fault.kind);
}

/**
 * Applies the disturbances of one moment.
 * @returns whether the request is over: answered wrongly, or its connection gone
 */
export async function disturb(
  response: ServerResponse,
  faults: readonly Fault[],
  moment: 'before' | 'after',
  signal: AbortSignal,
): Promise<boolean> {
  for (const fault of faults.filter(isDisturbance)) {
    if ((fault.when ?? 'after') !== moment) continue;
    if (fault.kind !== 'delay') {
      misanswer(response, fault);
      return true;
    }
    await sleep(fault.ms, undefined, { signal }).catch(() => {});
  }
  return false;
}

function misanswer(response: ServerResponse, fault: Exclude<Disturbance, { kind: 'delay' }>): void {
  switch (fault.kind) {
    case 'drop':
      response.socket?.destroy();
      return;
    case 'status': {
      const json = fault.code !== undefined;
      response.writeHead(fault.status, {
        'content-type': json ? 'application/json' : 'text/plain',
        ...(fault.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) }),
      });
      response.end(json ? JSON.stringify({ detail: 'A fault', code: fault.code }) : 'A fault');
      return;
    }
    case 'html':
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end('<!doctype html><title>Welcome to our Wi-Fi</title>');
      return;
    case 'redirect':
      response.writeHead(307, { location: fault.location });
      response.end();
  }
}

/** Sends an answer, in the way the faults want it sent. */
export async function send(
  response: ServerResponse,
  answer: Answer,
  faults: readonly Fault[],
  signal: AbortSignal,
): Promise<void> {
  const type = { 'content-type': 'application/json' };
  const fault = faults.find(({ kind }) => kind === 'truncated' || kind === 'huge' || kind === 'drip');
  switch (fault?.kind) {
    case 'truncated':
      response.writeHead(answer.status, type);
      response.end(answer.body.slice(0, Math.floor(answer.body.length / 2)));
      return;
    case 'huge':
      response.writeHead(answer.status, type);
      await pad(response, fault.bytes - answer.body.length);
      response.end(answer.body);
      return;
    case 'drip':
      response.writeHead(answer.status, type);
      for (const byte of Buffer.from(answer.body)) {
        if (response.destroyed || signal.aborted) break;
        response.write(Buffer.of(byte));
        await sleep(fault.ms, undefined, { signal }).catch(() => {});
      }
      response.end();
      return;
    default:
      response.writeHead(answer.status, { ...type, 'content-length': Buffer.byteLength(answer.body) });
      response.end(answer.body);
  }
}

/** White space in front of the JSON, written no faster than it is read. */
async function pad(response: ServerResponse, bytes: number): Promise<void> {
  const chunk = Buffer.alloc(65_536, ' ');
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  for (let left = bytes; left > 0 && !gone.signal.aborted; left -= chunk.length) {
    if (response.write(chunk.subarray(0, left))) continue;
    await once(response, 'drain', { signal: gone.signal }).catch(() => {});
  }
}
