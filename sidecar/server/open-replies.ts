/**
 * Answers that are not wholly with their clients yet. A charge is written before the last byte is out, so a server that
 * goes away must wait for more than its charges.
 */
export class OpenReplies {
  readonly #idle = new Set<() => void>();
  #open = 0;

  begin(): void {
    this.#open += 1;
  }

  end(): void {
    this.#open -= 1;
    if (this.#open > 0) return;
    for (const resolve of this.#idle) resolve();
    this.#idle.clear();
  }

  /** Resolves when every answer is out, at once when none is open. */
  idle(): Promise<void> {
    if (this.#open === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.add(resolve));
  }
}
