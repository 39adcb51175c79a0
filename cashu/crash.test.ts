import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Fault } from '../sqlite-dev/mint/faults.ts';
import { type RunningMint, startMint } from '../sqlite-dev/mint/start-mint.ts';
import { mintToken } from '../sqlite-dev/mint-token.ts';
import { openTill, patient } from '../tests/mints/till.ts';

let mint: RunningMint;

beforeAll(async () => {
  mint = await startMint();
});

afterAll(() => mint.close());

/** Redeems in a process of its own and kills it, without a chance to tidy up, when the mint has heard of the swap. */
async function redeemAndDie(token: string, folder: string, viewKey: string, fault: Fault): Promise<void> {
  mint.fault(fault);
  const swaps = mint.hits(fault.path);
  const program = new URL('../tests/mints/till-process.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [program, folder, mint.url, viewKey], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const exited = once(child, 'exit');
  child.stdin.end(token);
  try {
    // More than one when it was quick to try again: what it leaves behind is the same.
    await expect.poll(() => mint.hits(fault.path), { timeout: 20_000, interval: 10 }).toBeGreaterThan(swaps);
  } finally {
    child.kill('SIGKILL');
    await exited;
    mint.clearFaults();
  }
}

const steps: [string, Fault, 'credited' | 'undecided'][] = [
  [
    'begun, before the mint took the swap',
    { kind: 'drop', when: 'before', path: 'POST /v1/swap' },
    'undecided',
  ],
  [
    'swapped, before the answer came',
    { kind: 'delay', when: 'after', ms: 3_000, path: 'POST /v1/swap' },
    'credited',
  ],
  [
    'in doubt, while restoring',
    { kind: 'delay', when: 'before', ms: 3_000, path: 'POST /v1/restore' },
    'credited',
  ],
];

test.each(steps)('a process killed when it had %s loses nothing', async (_, fault, alone) => {
  const folder = await mkdtemp(join(tmpdir(), 'till-'));
  const viewKey = randomBytes(32).toString('hex');
  const token = await mintToken(mint.url, 100);
  if (fault.path === 'POST /v1/restore') mint.fault({ kind: 'drop', path: 'POST /v1/swap' });
  await redeemAndDie(token, folder, viewKey, fault);

  const till = await openTill({ mints: [{ url: mint.url }], viewKey }, folder);
  expect((await till.ledger.audit()).undecided).toBe(1);
  till.skew.ms += 20_000;
  expect((await till.redeemer.recover(patient))[alone]).toBe(1);
  expect(await till.redeem(token)).toMatchObject({ amount: 99_000n });
  expect(await till.balance()).toBe(99_000n);
  const audit = await till.ledger.audit();
  expect(audit).toMatchObject({ violations: [], undecided: 0 });
  await till[Symbol.asyncDispose]();
});
