import { connect } from 'node:net';
import { setImmediate as tick } from 'node:timers/promises';

export interface WireAnswer {
  status: number;
  headers: ReadonlyMap<string, string>;
  body: Buffer;
}

export interface Exchange {
  answers: WireAnswer[];
  /** Bytes behind the last whole answer. */
  rest: Buffer;
}

/** ms without a byte after which the client closes its half: what is then still incomplete never gets more. */
const patience = 300;
/** ms after which the server is taken to hang. Far beyond what an answer takes on a busy machine. */
const hang = 60_000;

/**
 * Sends bytes as they are over a connection of their own, in the pieces given, and reads answers until there are as many as
 * were asked for or the server closes.
 * @throws Error when the server neither answers nor closes
 */
export function exchange(port: number, pieces: readonly Buffer[], requests: number): Promise<Exchange> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const guard = setTimeout(() => {
      reject(new Error(`hangs after ${JSON.stringify(received.toString('latin1').slice(0, 200))}`));
      socket.destroy();
    }, hang);
    let quiet: NodeJS.Timeout;
    const wait = () => {
      clearTimeout(quiet);
      quiet = setTimeout(() => socket.end(), patience);
    };
    const finish = () => {
      clearTimeout(guard);
      clearTimeout(quiet);
      socket.destroy();
      resolve(readAnswers(received, true));
    };
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      wait();
      if (readAnswers(received, false).answers.length >= requests) finish();
    });
    // A refused request's connection may be reset while we still write: what came before counts.
    socket.on('error', () => {});
    socket.on('close', finish);
    socket.on('connect', async () => {
      for (const piece of pieces) {
        if (socket.destroyed) return;
        socket.write(piece);
        if (pieces.length > 1) await tick();
      }
      wait();
    });
  });
}

/** Whole answers at the start of what came. @param closed whether nothing more can come */
export function readAnswers(bytes: Buffer, closed: boolean): Exchange {
  const answers: WireAnswer[] = [];
  let at = 0;
  for (;;) {
    const end = bytes.indexOf('\r\n\r\n', at);
    if (end === -1) break;
    const [first = '', ...lines] = bytes.toString('latin1', at, end).split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1]);
    if (!status) throw new Error(`no status line: ${JSON.stringify(first)}`);
    const headers = new Map(lines.map((line) => headerOf(line)));
    const body = bodyAt(bytes, end + 4, status, headers, closed);
    if (body === undefined) break;
    at = body.end;
    if (status >= 200) answers.push({ status, headers, body: body.bytes });
  }
  return { answers, rest: bytes.subarray(at) };
}

function headerOf(line: string): [string, string] {
  const colon = line.indexOf(':');
  if (colon < 1 || /[\0\r\n]/.test(line)) throw new Error(`no header: ${JSON.stringify(line)}`);
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}

function bodyAt(
  bytes: Buffer,
  start: number,
  status: number,
  headers: ReadonlyMap<string, string>,
  closed: boolean,
): { bytes: Buffer; end: number } | undefined {
  if (status < 200 || status === 204 || status === 304) return { bytes: Buffer.alloc(0), end: start };
  if (headers.get('transfer-encoding') === 'chunked') return chunkedAt(bytes, start);
  const length = headers.get('content-length');
  if (length === undefined) return closed ? { bytes: bytes.subarray(start), end: bytes.length } : undefined;
  const end = start + Number(length);
  return end <= bytes.length ? { bytes: bytes.subarray(start, end), end } : undefined;
}

function chunkedAt(bytes: Buffer, start: number): { bytes: Buffer; end: number } | undefined {
  const chunks: Buffer[] = [];
  for (let at = start; ; ) {
    const line = bytes.indexOf('\r\n', at);
    if (line === -1) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16);
    if (Number.isNaN(size)) throw new Error('no chunk size');
    at = line + 2 + size + 2;
    if (at > bytes.length) return undefined;
    if (size === 0) return { bytes: Buffer.concat(chunks), end: at };
    chunks.push(bytes.subarray(line + 2, line + 2 + size));
  }
}
