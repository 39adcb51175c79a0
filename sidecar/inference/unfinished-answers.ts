/** What a drain past its deadline can end. */
export interface Unfinished {
  finish(end: 'draining'): void;
}

/**
 * The answers under way: streams end with an error event, paid for so far; what has not answered yet is given up, for free.
 */
export class UnfinishedAnswers {
  readonly #answers = new Set<{ answer: Unfinished | undefined }>();

  /** @returns to be called when it ended */
  add(answer: Unfinished): () => void {
    const entry: { answer: Unfinished | undefined } = { answer };
    this.#answers.add(entry);
    return () => {
      // V8's sets leave their old tables chained to the new ones: one that grew old would keep all answers since.
      entry.answer = undefined;
      this.#answers.delete(entry);
    };
  }

  cut(): void {
    for (const { answer } of this.#answers) answer?.finish('draining');
  }
}
