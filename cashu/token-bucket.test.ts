import { expect, test } from 'vitest';
import { TokenBucket } from './token-bucket.ts';

function bucket() {
  const time = { ms: 0 };
  const options = { capacity: 10, perSecond: 2, keptForKnown: 4, clock: () => time.ms };
  return { time, bucket: new TokenBucket(options) };
}

test('strangers get a burst, and then the rate', () => {
  const { time, bucket: calls } = bucket();
  expect(Array.from({ length: 7 }, () => calls.take())).toEqual([0, 0, 0, 0, 0, 0, 1]);
  time.ms += 500;
  expect([calls.take(), calls.take()]).toEqual([0, 1]);
});

test('known customers still get what strangers can’t', () => {
  const { bucket: calls } = bucket();
  while (calls.take() === 0);
  expect(Array.from({ length: 5 }, () => calls.take(true))).toEqual([0, 0, 0, 0, 1]);
  expect(calls.take()).toBe(3);
});

test('a clock that is set back locks nobody out', () => {
  const { time, bucket: calls } = bucket();
  while (calls.take(true) === 0);
  time.ms -= 3_600_000;
  expect(calls.take(true)).toBe(1);
  time.ms += 500;
  expect(calls.take(true)).toBe(0);
});
