import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface PaidStreamOptions {
  /** Stops reading after the head: what comes piles up on the way. */
  deaf?: boolean;
  /** Instead of `Authorization`. */
  headers?: Record<string, string>;
}

/** A client of one streamed chat, that may stop reading or leave. */
export interface PaidStream {
  status: number;
  /** Tokens that arrived so far, and when each did (performance.now). */
  arrivals: readonly number[];
  /** All bytes so far, as text. */
  readonly text: string;
  /** Resolves when so many tokens are here; rejects when the stream ends before. */
  until(tokens: number): Promise<void>;
  /** Resolves at the end, however it comes: `whole` when the server ended it. */
  ended: Promise<{ whole: boolean }>;
  /** Reads again after having been deaf. */
  listen(): void;
  /** Closes the connection. */
  leave(): void;
}

/** Sends a chat (as `chat()` in ask.ts makes it) and resolves with the head of its answer. */
export async function openStream(
  url: string,
  key: string | undefined,
  body: object,
  { deaf = false, headers = {} }: PaidStreamOptions = {},
): Promise<PaidStream> {
  const sent = send(url, key, body, headers);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const arrivals: number[] = [];
  let text = '';
  let over = false;
  let unread = '';
  const read = () =>
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const lines = (unread + chunk).split('\n');
      unread = lines.pop()!;
      for (const line of lines) if (/"content":"[^"]/.test(line)) arrivals.push(performance.now());
    });
  const ended = new Promise<{ whole: boolean }>((resolve) => {
    sent.on('error', () => {});
    response.on('error', () => {});
    response.once('close', () => {
      over = true;
      resolve({ whole: response.complete });
    });
  });
  if (!deaf) read();
  return {
    status: response.statusCode!,
    arrivals,
    get text() {
      return text;
    },
    async until(tokens) {
      while (arrivals.length < tokens) {
        if (over)
          throw new Error(`It ended after ${arrivals.length} of ${tokens} tokens: ${text.slice(-300)}`);
        await sleep(5);
      }
    },
    ended,
    listen: () => void read(),
    leave: () => void sent.destroy(),
  };
}

/** Sends a chat and leaves its answer to be waited for, or not. */
export function send(
  url: string,
  key: string | undefined,
  body: object,
  headers: Record<string, string> = {},
): ClientRequest {
  const sent = request(`${url}/v1/chat/completions`, {
    method: 'POST',
    agent: false,
    headers: {
      'content-type': 'application/json',
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...headers,
    },
  });
  sent.end(JSON.stringify(body));
  return sent;
}
