import { expect, test } from 'vitest';
import type { StoredAttempt } from './redemption-store.ts';
import { type InputsState, judge, type Sighting } from './verdict.ts';

const attempt = { id: 'a' } as StoredAttempt;

/** What each pair of answers means, for the only attempt on these inputs. */
const table: [Sighting['signatures'], InputsState, string][] = [
  ['all', 'spent', 'credit'],
  ['all', 'unspent', 'unspent, outputs reused'],
  ['all', 'pending', 'pending'],
  ['all', 'mixed', 'contradiction'],
  ['some', 'spent', 'contradiction'],
  ['some', 'unspent', 'unspent, outputs reused'],
  ['some', 'pending', 'pending'],
  ['some', 'mixed', 'contradiction'],
  ['none', 'spent', 'spent'],
  ['none', 'unspent', 'unspent'],
  ['none', 'pending', 'pending'],
  ['none', 'mixed', 'partly_spent'],
];

test.each(table)('%s of the signatures restored, inputs %s: %s', (signatures, inputs, expected) => {
  const verdict = judge(inputs, [{ attempt, signatures, inputs }]);
  const reused = verdict.kind === 'unspent' && verdict.reused.length > 0;
  expect(reused ? `${verdict.kind}, outputs reused` : verdict.kind).toBe(expected);
});

test('money is only ever credited for all signatures and all inputs spent', () => {
  const credited = table.filter(([, , expected]) => expected === 'credit');
  expect(credited).toEqual([['all', 'spent', 'credit']]);
});

test('an earlier attempt that went through after all is the one to credit', () => {
  const earlier = {
    attempt: { id: 'earlier' } as StoredAttempt,
    signatures: 'all',
    inputs: 'spent',
  } as const;
  const later = { attempt, signatures: 'none', inputs: 'spent' } as const;
  expect(judge('spent', [earlier, later])).toMatchObject({ kind: 'credit', attempt: { id: 'earlier' } });
});
