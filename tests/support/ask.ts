/** What to send. An object as `body` goes as JSON; anything else as it is. */
export interface Ask {
  method?: string;
  /** Sent as `Authorization: Bearer`. */
  key?: string;
  headers?: Record<string, string>;
  body?: object | string | Uint8Array<ArrayBuffer> | FormData;
}

/** A whole answer. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** @throws SyntaxError when the body is no JSON */
  json<T = Record<string, unknown>>(): T;
}

/** Sends one request and reads its answer to the end. POST when there is a body. */
export async function ask(url: string, { method, key, headers, body }: Ask = {}): Promise<Answer> {
  const raw = body === undefined || isRaw(body);
  const response = await fetch(url, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...(!raw && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: isRaw(body) ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) };
}

function isRaw(body: NonNullable<Ask['body']>): body is string | Uint8Array<ArrayBuffer> | FormData {
  return typeof body === 'string' || body instanceof Uint8Array || body instanceof FormData;
}

/** The JSON of every event of a finished stream, in order; `[DONE]` as that string. */
export function events<T = Record<string, unknown>>(text: string): (T | '[DONE]')[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => (line === 'data: [DONE]' ? '[DONE]' : (JSON.parse(line.slice('data: '.length)) as T)));
}

/** All that comes, in order. */
export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of source) all.push(one);
  return all;
}

/** The shortest chat there is: two tokens in, `tokens` out. */
export function chat(tokens = 8, more: object = {}): object {
  return {
    model: 'stub-chat',
    messages: [{ role: 'user', content: 'say it' }],
    max_tokens: tokens,
    ...more,
  };
}
