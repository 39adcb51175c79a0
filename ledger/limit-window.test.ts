import { expect, test } from 'vitest';
import { windowStart } from './limit-window.ts';

test.for([
  ['daily', '2025-01-14T12:00:00Z', '2025-01-14T00:00:00Z'],
  ['daily', '2025-01-14T00:00:00Z', '2025-01-14T00:00:00Z'],
  ['daily', '2025-01-14T23:59:59.999Z', '2025-01-14T00:00:00Z'],
  ['weekly', '2025-01-14T12:00:00Z', '2025-01-13T00:00:00Z'],
  ['weekly', '2025-01-13T00:00:00Z', '2025-01-13T00:00:00Z'],
  ['weekly', '2025-01-19T23:59:59.999Z', '2025-01-13T00:00:00Z'],
  ['weekly', '2025-01-01T00:00:00Z', '2024-12-30T00:00:00Z'],
  ['monthly', '2025-01-14T12:00:00Z', '2025-01-01T00:00:00Z'],
  ['monthly', '2024-02-29T23:59:59.999Z', '2024-02-01T00:00:00Z'],
  [null, '2025-01-14T12:00:00Z', '1970-01-01T00:00:00Z'],
] as const)('the %s window of %s began at %s', ([reset, now, start]) => {
  expect(windowStart(reset, Date.parse(now))).toBe(Date.parse(start));
});
