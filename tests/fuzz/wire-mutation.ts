import type { Random } from './random.ts';

/** A request as bytes on the wire, and what may come of it. */
export interface WireRequest {
  bytes: Buffer;
  /** Two readers could disagree where it ends or what it says: it must not run. */
  ambiguous: boolean;
}

interface Draft {
  method: string;
  target: string;
  version: string;
  /** Whole lines, without their ends. */
  headers: string[];
  body: string;
  /** What stands behind the head instead of `body`. */
  sent: string;
  ambiguous: boolean;
}

export interface Credentials {
  key: string;
  token: string;
}

const chat = (text: string) =>
  JSON.stringify({ model: 'stub-chat', messages: [{ role: 'user', content: text }], max_tokens: 3 });

/** A paid request that is as it should be. */
export function cleanRequest({ key }: Credentials): WireRequest {
  return render(draft(chat('hello'), key));
}

/** A paid request, changed in its line, its headers or its framing. */
export function mutatedRequest(credentials: Credentials, random: Random): WireRequest {
  const request = draft(random.chance(0.9) ? chat('hello') : smuggled(credentials.key), credentials.key);
  const change = random.pick([
    credential,
    credential,
    header,
    header,
    framing,
    framing,
    line,
    target,
    target,
  ]);
  change(request, random, credentials);
  return render(request);
}

/** A body with a request in it: free for whoever loses count of the bytes. */
function smuggled(key: string): string {
  return `${chat('a')}\r\n\r\nPOST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${key}\r\nContent-Length: 0\r\n\r\n`;
}

function draft(body: string, key: string): Draft {
  return {
    method: 'POST',
    target: '/v1/chat/completions',
    version: 'HTTP/1.1',
    headers: [
      'Host: sidecar',
      `Authorization: Bearer ${key}`,
      'Content-Type: application/json',
      lengthOf(body),
    ],
    body,
    sent: body,
    ambiguous: false,
  };
}

const lengthOf = (body: string) => `Content-Length: ${Buffer.byteLength(body)}`;

function render({ method, target, version, headers, sent, ambiguous }: Draft): WireRequest {
  const text = `${method} ${target} ${version}\r\n${headers.join('\r\n')}\r\n\r\n${sent}`;
  return { bytes: Buffer.from(text, 'latin1'), ambiguous };
}

type Change = (draft: Draft, random: Random, credentials: Credentials) => void;

const credential: Change = (request, random, { key, token }) => {
  const others = [
    ...[
      `Bearer ${key}`,
      `bearer ${key}`,
      `BEARER\t${key}`,
      `Bearer  ${key}  `,
      `Bearer${key}`,
      `Basic ${key}`,
    ],
    ...[
      key,
      '',
      'Bearer',
      'Bearer ',
      `Bearer ${key} ${key}`,
      `Bearer ${key.toUpperCase()}`,
      `Bearer ${key}0`,
    ],
    ...[
      `Bearer ${token}`,
      `Bearer cashu:${token}`,
      'Bearer cashuB',
      `Bearer sk-${'0'.repeat(64)}`,
      `Bearer ${key},${key}`,
    ],
    ...[`Bearer \xff${key}`, `Bearer ${'a'.repeat(60_000)}`, `Bearer cashuB${'A'.repeat(70_000)}`],
  ];
  const names = [
    'Authorization',
    'authorization',
    'AUTHORIZATION',
    'X-Cashu',
    'x-cashu',
    'x-api-key',
    'X-API-KEY',
    'Proxy-Authorization',
    'Cookie',
  ];
  if (random.chance(0.5)) request.headers.splice(1, 1);
  for (let n = random.between(1, 3); n > 0; n--) {
    const value = random.pick(others);
    request.headers.splice(
      random.int(request.headers.length + 1),
      0,
      `${random.pick(names)}: ${random.chance(0.3) ? value.replace(/^Bearer /, '') : value}`,
    );
  }
};

const header: Change = (request, random) => {
  const unclear = [
    'X-A: a\0b',
    'X-A: a\rb',
    'X-A : a',
    'X-A\t: a',
    ': a',
    'X A: a',
    'X-A',
    'X-A: a\r\n folded',
    ' X-A: a',
    'X-\xe4: a',
    'X-A: a\x7f',
    'X-A: \x01',
  ];
  const clear = [
    ...[
      'Expect: 100-continue',
      'Connection: close',
      'Connection: Upgrade\r\nUpgrade: websocket',
      'Connection: content-type, authorization',
    ],
    ...[
      'Upgrade: h2c',
      'Accept: \xe4\xf6\xfc',
      'X-A:',
      'X-A: \t ',
      `X-A: ${'a'.repeat(20_000)}`,
      'Accept-Encoding: gzip, br',
      'Range: bytes=0-1',
    ],
    ...[
      'Content-Encoding: identity',
      'Content-Encoding: gzip',
      'Origin: http://evil.example',
      'X-Forwarded-For: 1.2.3.4, ::1',
      'Forwarded: for=1.2.3.4',
    ],
    ...[
      'Key-Expiry-Time: 1',
      'Key-Expiry-Time: 99999999999999999999',
      'Refund-LNURL: me@example.com',
      'Refund-LNURL: ../',
      'Trailer: X-A',
      'TE: trailers',
    ],
    ...[
      'Content-Type: text/plain',
      'Content-Type: application/json, application/json',
      'Host: another',
      'Max-Forwards: 0',
      'HTTP2-Settings: AAMAAABkAAQ',
    ],
    ...[
      'Expect: the unexpected',
      `X-A: ${'a'.repeat(120_000)}`,
      Array.from({ length: 3000 }, (_, n) => `X-${n}: a`).join('\r\n'),
      'traceparent: \xff',
      'openai-beta: a',
    ],
  ];
  const ambiguous = random.chance(0.35);
  request.headers.splice(random.int(request.headers.length + 1), 0, random.pick(ambiguous ? unclear : clear));
  // NUL, CR and blanks where they can't be: a proxy in front may have read another header.
  request.ambiguous = ambiguous;
};

const framing: Change = (request, random) => {
  const { body, headers } = request;
  const length = Buffer.byteLength(body);
  const chunked = (text: string, size = text.length.toString(16)) => `${size}\r\n${text}\r\n0\r\n\r\n`;
  const instead = (...lines: string[]) => headers.splice(3, 1, ...lines);
  const [kind, unclear] = random.pick(framings);
  request.ambiguous = unclear;
  switch (kind) {
    case 'short':
      return void instead(`Content-Length: ${length - random.between(1, 20)}`);
    case 'long':
      return void instead(`Content-Length: ${length + random.pick([1, 100, 1_000_000, 2 ** 40])}`);
    case 'no number':
      return void instead(
        `Content-Length: ${random.pick(['-1', `+${length}`, `0x${length.toString(16)}`, `${length}.0`, `${length} ${length}`, `${length}, ${length}`, '', 'a', '99999999999999999999999'])}`,
      );
    case 'two':
      return void instead(lengthOf(body), `Content-Length: ${random.pick([0, length - 1, length + 1])}`);
    case 'none':
      return void instead();
    case 'chunked':
      instead('Transfer-Encoding: chunked');
      request.sent = random.pick([
        chunked(body),
        chunked(body, `${length.toString(16)};a=b`),
        chunked(body, `000${length.toString(16)}`),
        `${[...body].map((sign) => `1\r\n${sign}\r\n`).join('')}0\r\n\r\n`,
        `${chunked(body).slice(0, -2)}X-Trailer: a\r\n\r\n`,
      ]);
      return;
    case 'broken chunks':
      instead('Transfer-Encoding: chunked');
      request.sent = random.pick([
        chunked(body, 'ffffffffffffffffff'),
        chunked(body, '-1'),
        chunked(body, 'g'),
        chunked(body, '0x5'),
        `${length.toString(16)}\n${body}\n0\n\n`,
        chunked(body, `${(length + 2).toString(16)}`),
        `${length.toString(16)}\r\n${body}`,
        chunked(body, `${length.toString(16)};${'a'.repeat(20_000)}`),
      ]);
      return;
    case 'both':
      instead(lengthOf(body), 'Transfer-Encoding: chunked');
      request.sent = random.chance(0.5) ? chunked(body) : body;
      return;
    default:
      instead(
        random.pick([
          'Transfer-Encoding: identity',
          'Transfer-Encoding: gzip',
          'Transfer-Encoding: xchunked',
          'Transfer-Encoding: chunked, gzip',
          'Transfer-Encoding: chunked, identity',
          'Transfer-Encoding:',
          'Transfer-Encoding: "chunked"',
        ]),
      );
      request.sent = random.chance(0.5) ? chunked(body) : body;
  }
};

const framings: readonly [string, boolean][] = [
  ['short', false],
  ['long', false],
  ['no number', true],
  ['two', true],
  ['none', false],
  ['chunked', false],
  ['broken chunks', true],
  ['both', true],
  ['odd encoding', true],
];

const line: Change = (request, random) => {
  const versions = [
    'HTTP/1.0',
    'HTTP/1.2',
    'HTTP/2.0',
    'HTTP/0.9',
    'http/1.1',
    'HTTP/1.1 ',
    '',
    'HTTP/11',
    'ICY/1.1',
  ];
  const methods = [
    'GET',
    'PUT',
    'DELETE',
    'PATCH',
    'OPTIONS',
    'TRACE',
    'post',
    'PO ST',
    '',
    'PRI',
    'QUERY',
    'CONNECT',
    '\0',
    'P'.repeat(70_000),
    'PROPFIND',
  ];
  switch (random.int(4)) {
    case 0:
      request.version = random.pick(versions);
      break;
    case 1:
      request.method = random.pick(methods);
      break;
    case 2:
      request.headers.splice(0, 1, ...random.pick([[], ['Host:'], ['Host: a', 'Host: b'], ['Host: a b']]));
      break;
    default:
      request.method = `${random.pick(['\r\n', '\r\n\r\n', ' ', '\n', '\0', '\x16\x03\x01'])}POST`;
  }
};

const target: Change = (request, random, { key, token }) => {
  const path = '/v1/chat/completions';
  request.target = random.pick([
    ...[
      `/${path}`,
      `${path}/`,
      `${path}//`,
      `${path}/.`,
      `${path}/../completions`,
      '/v1/./chat/completions',
      '/v1%2fchat/completions',
      '/v1/chat%2Fcompletions',
    ],
    ...[
      '/v1/ch%61t/completions',
      `${path}%00`,
      `${path};a=b`,
      `${path}.json`,
      `${path}?a=b`,
      `${path}?key=${key}`,
      `${path}?token=${token}`,
      `${path}#a`,
    ],
    ...[
      `http://sidecar${path}`,
      `http://evil.example${path}`,
      `//evil.example${path}`,
      '*',
      'sidecar:80',
      '',
      '/',
      '/v1',
      '/V1/chat/completions',
      `${path}?${'a'.repeat(80_000)}`,
    ],
    ...[
      '/v1/models/a%2fb',
      '/v1/models/%',
      '/v1/models/%ff',
      '/v1/models/..%2f..',
      '/models/stub-chat',
      `/v1/models/${key}`,
      `${path}\\..`,
      `${path}\xe4`,
      `${path}?\xe4`,
    ],
    ...[
      '/v1/completions',
      '/completions',
      '/v1/wallet/info',
      '/v1/wallet/history?limit=-1',
      '/v1/balance/lightning/invoice/..%2f/status',
      '/metrics',
      '/drain',
      '/livez',
      '/v1/info',
    ],
  ]);
};
