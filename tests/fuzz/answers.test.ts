import assert from 'node:assert/strict';
import { expect, test } from 'vitest';
import type { ApiFamily } from '../../sidecar/body/api-family.ts';
import { COST_MEMBERS, type CostFields } from '../../sidecar/metering/cost-fields.ts';
import { mergeBuffered } from '../../sidecar/metering/merge.ts';
import { meterAnswer } from '../../sidecar/metering/meter-answer.ts';
import { NOTHING } from '../../sidecar/metering/usage.ts';
import { mutateJson } from './json-mutation.ts';
import { patience, runs } from './runs.ts';
import { shrink, throws } from './shrink.ts';
import { validAnswers } from './valid-answers.ts';

const counted = { before: { ...NOTHING, inputTokens: 11, audioSeconds: 13 }, mostOutput: 100 };
const fields: CostFields = {
  cost: {
    totalMsat: 42n,
    baseMsat: 0n,
    inputMsat: 2n,
    cacheReadMsat: 0n,
    cacheWriteMsat: 0n,
    outputMsat: 40n,
    totalUsd: '0.00004',
  },
  chargedMsat: 42n,
  remainingMsat: 958n,
};

test(
  'an answer is metered in whole numbers, and gets its cost without losing a member',
  () => {
    const { count, random, replay } = runs('answers', 0.17);
    let merged = 0;
    for (let n = 0; n < count; n++) {
      const dice = random(n);
      const { family, body } = dice.pick(validAnswers);
      const answer = mutateJson(JSON.stringify(body), dice);
      try {
        if (check(family, answer)) merged++;
      } catch (error) {
        const least = shrink(answer, (smaller) => throws(() => check(family, smaller)));
        throw new Error(replay(n, `${family} ${least.toString('latin1')}`), { cause: error });
      }
    }
    expect(merged).toBeGreaterThan(count / 10);
  },
  patience,
);

/** @returns whether it got its cost */
function check(family: ApiFamily, answer: Buffer): boolean {
  const { usage } = meterAnswer(family, answer, counted);
  for (const [name, amount] of Object.entries(usage)) {
    assert.ok(Number.isSafeInteger(amount) && amount >= 0, `${name} is ${amount}`);
  }
  const sent = Buffer.concat(mergeBuffered(answer, { family, usage, fields }));
  checkMerged(answer, sent);
  return !sent.equals(answer);
}

/** Only `usage` differs, and in it only what is ours. */
function checkMerged(answer: Buffer, sent: Buffer): void {
  const before = objectOf(answer);
  if (before === undefined) return;
  const after = JSON.parse(sent.toString()) as Record<string, unknown>;
  const { usage: stated, ...rest } = before;
  const { usage, ...kept } = after;
  assert.deepEqual(kept, rest);
  const { cost, cost_sats, remaining_balance_msats, ...others } = usage as Record<string, unknown>;
  assert.equal((cost as { total_msats: number }).total_msats, 42);
  assert.equal(cost_sats, 1);
  assert.equal(remaining_balance_msats, 958);
  if (typeof stated !== 'object' || stated === null || Array.isArray(stated)) return;
  const theirs = Object.entries(stated).filter(([name]) => !COST_MEMBERS.has(name));
  assert.deepEqual(others, Object.fromEntries(theirs));
}

/** The JSON object that an answer is, unless it is nested or wide beyond what any answer is. */
function objectOf(bytes: Buffer): Record<string, unknown> | undefined {
  const text = bytes.toString();
  if (nesting(text) > 128 || text.split(',').length > 1000) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** As written: a doubled member may hide what is nested deep. */
function nesting(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [bracket] of text.replace(/"(?:[^"\\]|\\.)*"/g, '').matchAll(/[[\]{}]/g)) {
    depth += bracket === '{' || bracket === '[' ? 1 : -1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}
