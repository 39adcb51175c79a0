import type { IncomingHttpHeaders } from 'node:http';
import { expect, test } from 'vitest';
import { answerHeaders } from './headers.ts';

test('a header that any line of Connection names stays between the two servers', () => {
  const twice = {
    connection: ['x-secret', 'Close, X-Other'],
    'x-secret': 'a',
    'x-other': 'b',
    'x-kept': 'c',
  };
  // undici gives lists, whatever Node's type says.
  expect(answerHeaders(twice as unknown as IncomingHttpHeaders)).toEqual({ 'x-kept': 'c' });
});
