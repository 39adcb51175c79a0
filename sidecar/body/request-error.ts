/** `invalid_json`: the body can't be read. `invalid_request`: it can, but not be priced. Both are the client's to mend. */
export type RequestErrorCode = 'invalid_json' | 'invalid_request';

/** A body that is refused before anything is reserved. The message tells the client what to change, and repeats none of its text. */
export class RequestError extends Error {
  readonly code: RequestErrorCode;

  constructor(code: RequestErrorCode, message: string) {
    super(message);
    this.name = 'RequestError';
    this.code = code;
  }
}
