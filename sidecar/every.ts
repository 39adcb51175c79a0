import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';

/** Does `work` at once and then every `interval` ms, one after the other, until `signal` aborts. A failure is logged and tried again. */
export async function every(
  interval: number,
  work: () => Promise<unknown>,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await work();
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, 'a regular task failed: it is tried again');
    }
    await sleep(interval, undefined, { signal }).catch(() => {});
  }
}
