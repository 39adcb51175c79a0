/** One server-sent event. `data` is JSON unless it is a string. */
export interface ServerEvent {
  event?: string;
  data: object | string;
}

/** What an endpoint answers, before any fault. */
export type Answer =
  | { kind: 'json'; status?: number; body: object }
  | { kind: 'bytes'; type: string; body: Buffer }
  | { kind: 'stream'; events: Iterable<ServerEvent> };

/** A request that the endpoint can't answer: 400 in OpenAI's shape. */
export class BadRequestError extends Error {
  readonly param: string;

  constructor(param: string, message: string) {
    super(message);
    this.name = 'BadRequestError';
    this.param = param;
  }
}

export function errorBody(
  message: string,
  type = 'invalid_request_error',
  param: string | null = null,
): object {
  return { error: { message, type, param, code: null } };
}
