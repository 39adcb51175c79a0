import type { StreamedAnswer } from './streamed-answer.ts';

/** The streams under way, so that a drain past its deadline can end them: with an error event, and paid for so far. */
export class RunningStreams {
  readonly #streams = new Set<StreamedAnswer>();

  add(stream: StreamedAnswer): void {
    this.#streams.add(stream);
  }

  delete(stream: StreamedAnswer): void {
    this.#streams.delete(stream);
  }

  cut(): void {
    for (const stream of this.#streams) stream.finish('draining');
  }
}
