import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Controls, command, stats } from './control.ts';
import { spoil } from './defects.ts';
import { MintError } from './errors.ts';
import type { Fault } from './faults.ts';
import { cachedPaths } from './info.ts';
import { settleMelts } from './melting.ts';
import type { Mint, Trouble } from './mint.ts';
import { findRoute, type Route } from './routes.ts';
import { type Answer, disturb, send } from './transport.ts';

/** Bytes; a thousand proofs with witnesses are well below it. */
const maxBody = 2 ** 20;

/**
 * The mint over HTTP.
 *
 * @param broken is told of an error that is the mint's own; its client gets no answer
 * @param signal ends what waits for a delay or a slow reply
 */
export function createMintServer(
  mint: Mint,
  controls: Controls,
  broken: (error: unknown) => void,
  signal: AbortSignal,
): Server {
  return createServer((request, response) => {
    serve(mint, controls, request, response, signal).catch((error) => {
      const clientLeft = request.destroyed && !request.complete;
      response.destroy();
      if (!clientLeft) broken(error);
    });
  });
}

async function serve(
  mint: Mint,
  controls: Controls,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const path = request.url?.split('?')[0] ?? '/';
  const text = await readBody(request);
  if (text === undefined) {
    response.shouldKeepAlive = false;
    return send(response, { status: 413, body: '{"detail":"The body is too large","code":0}' }, [], signal);
  }
  if (path === '/control' || path === '/control/stats') {
    const run = () =>
      request.method === 'POST' ? command(mint, controls, readJson(text)) : stats(mint, controls);
    return send(response, answer(run), [], signal);
  }
  const name = routeName(request.method ?? '', path);
  controls.hits.set(name, (controls.hits.get(name) ?? 0) + 1);
  const faults = controls.faults.take(name);
  if (await disturb(response, faults, 'before', signal)) return;
  const trouble = troubleOf(faults);
  const reply = answer(() => {
    settleMelts(mint);
    const { route, id } = findRoute(request.method ?? '', path);
    const body = route.name.startsWith('POST') ? readJson(text) : undefined;
    const call = () => route.run(mint, { id, body, trouble, cachedFor: controls.cachedFor });
    return spoil(controls.cachedFor === null ? call() : cached(mint, route, text, call), faults);
  });
  // What hangs at the mint is answered to nobody: its client has to find out.
  if (trouble.pendingFor !== undefined && name === 'POST /v1/swap') return void response.socket?.destroy();
  if (await disturb(response, faults, 'after', signal)) return;
  await send(response, reply, faults, signal);
}

function troubleOf(faults: readonly Fault[]): Trouble {
  const pending = faults.find((fault) => fault.kind === 'pending');
  if (pending) return { pendingFor: pending.ms, outcome: pending.outcome ?? 'done' };
  return faults.some((fault) => fault.kind === 'payment_failed') ? { outcome: 'failed' } : {};
}

/** NUT-19: the same request gets the same answer, though its inputs are spent by now. */
function cached(mint: Mint, route: Route, text: string, call: () => unknown): unknown {
  if (!cachedPaths.some((path) => route.name === `POST ${path}`)) return call();
  const key = createHash('sha256').update(`${route.name}\n${text}`).digest('hex');
  const known = mint.store.reply(key);
  if (known !== undefined) return JSON.parse(known);
  const reply = call();
  mint.store.saveReply(key, JSON.stringify(reply));
  return reply;
}

function answer(run: () => unknown): Answer {
  try {
    return { status: 200, body: JSON.stringify(run()) };
  } catch (error) {
    if (!(error instanceof MintError)) throw error;
    return { status: error.status, body: JSON.stringify({ detail: error.message, code: error.code }) };
  }
}

function routeName(method: string, path: string): string {
  try {
    return findRoute(method, path).route.name;
  } catch {
    return 'unknown';
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new MintError('invalid_request', 'the body is not JSON');
  }
}

/** @returns undefined when there is too much of it */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size <= maxBody) chunks.push(chunk);
  }
  return size > maxBody ? undefined : Buffer.concat(chunks).toString();
}
