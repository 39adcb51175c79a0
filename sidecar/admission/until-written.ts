import { setTimeout as sleep } from 'node:timers/promises';
import { LedgerUnavailableError } from '../../ledger/index.ts';

/**
 * Runs a write that must happen, again and again until the ledger took it. All such writes are idempotent.
 * Resolves with its result, or with undefined when the ledger did not answer soon: the write then goes on by itself.
 */
export type UntilWritten = <T>(
  write: () => Promise<T>,
  over: (outcome: 'written' | 'broken') => void,
) => Promise<T | undefined>;

export interface UntilWrittenOptions {
  /** How long a caller waits (ms) before it goes on without the result… */
  patience: number;
  /** …if it may: without trust in its holds nothing goes out before the ledger has answered. */
  trusted: () => boolean;
  onRetry(error: LedgerUnavailableError): void;
  /** Another error than that of an absent ledger: a mistake of ours, so the write is given up, loudly. */
  onBroken(error: unknown): void;
}

const firstDelay = 50;
const longestDelay = 2_000;

export function untilWritten({ patience, trusted, onRetry, onBroken }: UntilWrittenOptions): UntilWritten {
  async function insist<T>(
    write: () => Promise<T>,
    over: Parameters<UntilWritten>[1],
  ): Promise<T | undefined> {
    for (let delay = firstDelay; ; delay = Math.min(delay * 2, longestDelay)) {
      try {
        const result = await write();
        over('written');
        return result;
      } catch (error) {
        if (!(error instanceof LedgerUnavailableError)) {
          onBroken(error);
          over('broken');
          return undefined;
        }
        onRetry(error);
        await sleep(delay);
      }
    }
  }

  return (write, over) => {
    const result = insist(write, over);
    return new Promise((resolve) => {
      const impatient = setInterval(() => {
        if (!trusted()) return;
        clearInterval(impatient);
        resolve(undefined);
      }, patience);
      void result.then((value) => {
        clearInterval(impatient);
        resolve(value);
      });
    });
  };
}
