import type { ApiFamily } from '../../sidecar/body/api-family.ts';
import { mutateBytes } from './byte-mutation.ts';
import { mutateJson } from './json-mutation.ts';
import type { Random } from './random.ts';
import type { Reply } from './raw-upstream.ts';
import { chop, randomStream, type Streamed } from './stream-mutation.ts';
import { validAnswers } from './valid-answers.ts';

/** A reply and what is known of it. */
export interface Script extends Reply {
  /** The body of a success that came whole and in good HTTP; undefined otherwise. */
  whole: Buffer | undefined;
  streamed: boolean;
}

/** What an upstream may answer a request for a stream of this family. */
export function streamedReply(family: Streamed, random: Random): Script {
  const body = randomStream(family, random);
  const type = random.pick([
    'text/event-stream',
    'text/event-stream; charset=utf-8',
    'text/event-stream;charset=UTF-8',
  ]);
  return { ...reply(body, type, 200, random), streamed: true };
}

/** What it may answer with a whole body. */
export function bufferedReply(family: ApiFamily, random: Random): Script {
  const fitting = validAnswers.filter((answer) => answer.family === family);
  const answers = fitting.length > 0 ? fitting : validAnswers;
  const json = mutateJson(JSON.stringify(random.pick(answers).body), random);
  const body = random.pick([
    json,
    json,
    json,
    json,
    random.bytes(random.int(2000)),
    Buffer.alloc(0),
    Buffer.from('<h1>Hello</h1>'),
  ]);
  const status = random.chance(0.7) ? 200 : random.pick(statuses);
  const type = random.pick([
    'application/json',
    'application/json; charset=utf-8',
    'application/problem+json',
    'text/plain',
    'text/html',
    'audio/mpeg',
    '',
  ]);
  return { ...reply(body, type, status, random), streamed: false };
}

const statuses = [
  200, 201, 202, 203, 206, 226, 299, 300, 302, 304, 400, 401, 402, 403, 404, 405, 409, 413, 415, 418, 422,
  429, 451, 500, 501, 502, 503, 504, 529, 599,
];

const extraHeaders = [
  'Set-Cookie: a=b',
  'X-Cashu: cashuBmine',
  'X-Routstr-Cost-Msats: 0',
  'Connection: x-secret\r\nX-Secret: a',
  'Content-Encoding: identity',
  'Server: x\r\nVia: 1.1 y',
  'Retry-After: soon',
  'X-A: \xe4\xff',
  `X-A: ${'a'.repeat(20_000)}`,
  'Access-Control-Allow-Origin: http://evil.example',
  'Content-Disposition: attachment; filename="\xfc"',
];

function reply(body: Buffer, type: string, status: number, random: Random): Omit<Script, 'streamed'> {
  const lines = [`HTTP/1.1 ${status} ${random.pick(['OK', '', 'Sure \xe4'])}`];
  if (type !== '') lines.push(`Content-Type: ${type}`);
  if (random.chance(0.3)) lines.push(random.pick(extraHeaders));
  const framing = random.pick(['chunked', 'chunked', 'length', 'close'] as const);
  const most = random.pick([1, 3, 16, 200, 5000]);
  const chunks = chop(body, most, random);
  const framed =
    framing === 'chunked'
      ? [
          ...chunks.map((chunk) =>
            Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]),
          ),
          Buffer.from('0\r\n\r\n'),
        ]
      : chunks;
  if (framing === 'chunked') lines.push('Transfer-Encoding: chunked');
  if (framing === 'length') lines.push(`Content-Length: ${body.length}`);
  if (framing === 'close') lines.push('Connection: close');
  const bytes = Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), ...framed]);
  const after = framing === 'close' ? 'close' : 'stay';
  if (random.chance(0.75))
    return {
      pieces: chop(bytes, random.pick([100, 2000, 50_000]), random),
      after,
      whole: status < 300 ? body : undefined,
    };
  return { pieces: [damaged(bytes, random)], after: random.pick(['close', 'reset']), whole: undefined };
}

/** HTTP that isn't: what a crashing server, or no HTTP server at all, might send. */
function damaged(bytes: Buffer, random: Random): Buffer {
  const cut = bytes.subarray(0, random.int(bytes.length));
  return random.pick([
    cut,
    cut,
    cut,
    mutateBytes(bytes, random),
    Buffer.alloc(0),
    random.bytes(100),
    Buffer.from('SSH-2.0-OpenSSH_9.9\r\n'),
    Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\nabcdefg'),
    Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nabc'),
    Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc'),
    Buffer.from('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nabc'),
    Buffer.concat([Buffer.from('HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n'), bytes]),
    Buffer.from(`HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(200_000)}\r\n\r\n`),
    Buffer.from('HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n'),
    Buffer.from('HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc'),
  ]);
}
