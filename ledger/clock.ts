import { setTimeout } from 'node:timers/promises';
import type { Millis } from './units.ts';

/** Time, as an argument. */
export interface Clock {
  /** What people call the time: expiry, history. May jump. */
  now(): Millis;
  /** ms from some start; never goes back. The only one to measure how long something took or stood still. */
  monotonic(): number;
  /** Rejects when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) => setTimeout(ms, undefined, signal === undefined ? {} : { signal }),
};
