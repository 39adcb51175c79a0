import type { ServerResponse } from 'node:http';

/**
 * The client's end of a request: what was written to it, whether it keeps up, whether it is still there.
 * A client that stops reading for too long counts as gone: its hold can't wait for ever.
 */
export class Client {
  readonly #raw: ServerResponse;
  readonly #stall: number;
  #onGone: (() => void) | undefined;
  #gone = false;
  #stalled: NodeJS.Timeout | undefined;

  /** @param stall ms a client may leave its answer unread */
  constructor(raw: ServerResponse, stall: number) {
    this.#raw = raw;
    this.#stall = stall;
    raw.once('close', () => {
      clearTimeout(this.#stalled);
      if (raw.writableFinished) return;
      this.#gone = true;
      this.#onGone?.();
    });
  }

  get gone(): boolean {
    return this.#gone;
  }

  /** Called once, when the client leaves before its answer's end; at once when it left already. */
  onGone(callback: () => void): void {
    this.#onGone = callback;
    if (this.#gone) callback();
  }

  /** @returns false when the client is behind: `onDrain` is called when it has caught up */
  write(pieces: readonly Buffer[], onDrain: () => void): boolean {
    let keepsUp = true;
    for (const piece of pieces) keepsUp = this.#raw.write(piece);
    if (keepsUp || this.#gone) return true;
    // One clock however often it is written to: a second one would outlive the drain and end a client that caught up.
    this.#stalled ??= setTimeout(() => this.#raw.destroy(), this.#stall);
    this.#raw.once('drain', () => {
      clearTimeout(this.#stalled);
      this.#stalled = undefined;
      onDrain();
    });
    return false;
  }

  /** What comes now is the rest of the answer: a client that reads none of it for too long is gone as well. */
  expectEnd(): void {
    this.#raw.setTimeout(this.#stall, () => this.#raw.destroy());
  }

  end(pieces: readonly Buffer[]): void {
    if (this.#gone) return;
    this.expectEnd();
    for (const piece of pieces) this.#raw.write(piece);
    this.#raw.end();
  }
}
