import type { ApiFamily } from '../body/api-family.ts';
import { type Spent, usageObject } from './cost-fields.ts';

/** Why a stream ends before its time. */
export interface StreamError {
  code: string;
  message: string;
  /** `insufficient_quota` unless said otherwise: with `insufficient_balance` the pair on which clients top up. */
  type?: string;
}

/**
 * An error inside a stream, in the shape that the family's SDK throws as one. It is the stream's last event.
 */
export function errorEvent(
  family: ApiFamily,
  { code, message, type = 'insufficient_quota' }: StreamError,
): Buffer {
  switch (family) {
    case 'messages':
      return typed('error', { type: 'error', error: { type: code, message } });
    case 'responses':
      return typed('error', { type: 'error', code, message, param: null });
    default:
      return Buffer.from(`data: ${JSON.stringify({ error: { message, type, code, param: null } })}\n\n`);
  }
}

/**
 * The usage event of a stream whose upstream sent none.
 * @param identity raw JSON of the stream's own `id`, `created` and `model`, where they are known
 */
export function usageEvent(spent: Spent, identity: ReadonlyMap<string, string>): Buffer {
  const usage = usageObject(spent);
  switch (spent.family) {
    case 'chat':
    case 'completions': {
      const object = spent.family === 'chat' ? 'chat.completion.chunk' : 'text_completion';
      const id = rawString(identity.get('id'));
      const model = rawString(identity.get('model'));
      const created = /^\d+$/.test(identity.get('created') ?? '') ? Number(identity.get('created')) : 0;
      const chunk = `{"id":${id},"object":"${object}","created":${created},"model":${model},"choices":[],"usage":${usage}}`;
      return Buffer.from(`data: ${chunk}\n\n`);
    }
    case 'messages':
      return Buffer.from(
        `event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":null,"stop_sequence":null},"usage":${usage}}\n\n`,
      );
    default:
      // A type of our own: clients skip what they don't know, while a second `…completed` would replace the answer.
      return Buffer.from(`event: routstr.usage\ndata: {"type":"routstr.usage","usage":${usage}}\n\n`);
  }
}

function typed(name: string, payload: object): Buffer {
  return Buffer.from(`event: ${name}\ndata: ${JSON.stringify(payload)}\n\n`);
}

/** A JSON string, if that is what the upstream sent. */
function rawString(raw: string | undefined): string {
  try {
    const value: unknown = JSON.parse(raw ?? '""');
    return JSON.stringify(typeof value === 'string' ? value : '');
  } catch {
    return '""';
  }
}
