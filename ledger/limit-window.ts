import type { LimitReset } from './account.ts';
import type { Millis } from './units.ts';

const DAY = 86_400_000;
/** 1970-01-01 was a Thursday, so the first ISO week that begins after it begins on Monday the 5th. */
const FIRST_MONDAY = 4 * DAY;

/**
 * When the window that `now` is in began: the UTC day, the ISO week (Monday) or the calendar month. A limit that never
 * resets has one window, from 0 on.
 */
export function windowStart(reset: LimitReset | null, now: Millis): Millis {
  switch (reset) {
    case null:
      return 0;
    case 'daily':
      return now - (now % DAY);
    case 'weekly':
      return now - ((((now - FIRST_MONDAY) % (7 * DAY)) + 7 * DAY) % (7 * DAY));
    case 'monthly': {
      const date = new Date(now);
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
    }
  }
}
