/** What a drain past its deadline can end. */
export interface Running {
  finish(end: 'draining'): void;
}

/**
 * The answers under way: streams end with an error event, paid for so far; what has not answered yet is given up, for free.
 */
export class RunningStreams {
  readonly #running = new Set<Running>();

  add(running: Running): void {
    this.#running.add(running);
  }

  delete(running: Running): void {
    this.#running.delete(running);
  }

  cut(): void {
    for (const running of this.#running) running.finish('draining');
  }
}
