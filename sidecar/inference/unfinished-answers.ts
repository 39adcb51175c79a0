/** What a drain past its deadline can end. */
export interface Unfinished {
  finish(end: 'draining'): void;
}

/**
 * The answers under way: streams end with an error event, paid for so far; what has not answered yet is given up, for free.
 */
export class UnfinishedAnswers {
  readonly #answers = new Set<Unfinished>();

  add(answer: Unfinished): void {
    this.#answers.add(answer);
  }

  delete(answer: Unfinished): void {
    this.#answers.delete(answer);
  }

  cut(): void {
    for (const answer of this.#answers) answer.finish('draining');
  }
}
