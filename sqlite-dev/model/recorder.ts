/** What came in, and what became of it. */
export interface Recorded {
  method: string;
  path: string;
  /** All of them, names in lower case. */
  headers: Record<string, string | string[] | undefined>;
  /** The first 64 KiB as text. */
  body: string;
  bodyBytes: number;
  /** `aborted`: the client left; `cut`: a fault ended it. */
  outcome: 'running' | 'finished' | 'aborted' | 'cut';
  /** Handed to the socket so far. */
  sentBytes: number;
  sentEvents: number;
}

const KEPT_BODY = 65_536;

/** The last requests, newest last, for tests to look at. */
export class Recorder {
  readonly #limit: number;
  #kept: Recorded[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(request: Pick<Recorded, 'method' | 'path' | 'headers'>, body: Buffer): Recorded {
    const recorded: Recorded = {
      ...request,
      body: this.#limit > 0 ? body.toString('utf8', 0, KEPT_BODY) : '',
      bodyBytes: body.length,
      outcome: 'running',
      sentBytes: 0,
      sentEvents: 0,
    };
    if (this.#limit > 0) this.#kept.push(recorded);
    if (this.#kept.length > this.#limit) this.#kept.shift();
    return recorded;
  }

  all(): readonly Recorded[] {
    return this.#kept;
  }

  clear(): void {
    this.#kept = [];
  }
}
