import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { memo, PROVIDER, World } from '../contract/world.ts';
import { openLedger } from '../open-ledger.ts';

const program = fileURLToPath(new URL('./crash-writer.ts', import.meta.url));

let folder: string;
let url: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ledger-'));
  url = `sqlite://${join(folder, 'ledger.sqlite')}`;
});
afterEach(() => rm(folder, { recursive: true }));

/** What the writer was told is done. */
interface Acknowledged {
  session: string;
  /** Reserved, by key; ended or not. */
  holds: Map<string, string>;
  settled: Map<string, bigint>;
  released: Set<string>;
  credited: Set<string>;
  unavailable: string | undefined;
}

/** Reads until the writer is gone; `onLine` may make it go. */
async function follow(writer: ChildProcess, onLine: (count: number) => void): Promise<Acknowledged> {
  const seen: Acknowledged = {
    session: '',
    holds: new Map(),
    settled: new Map(),
    released: new Set(),
    credited: new Set(),
    unavailable: undefined,
  };
  let count = 0;
  for await (const line of createInterface({ input: writer.stdout! })) {
    const [word, id = '', rest = ''] = line.split(' ');
    if (word === 'session') seen.session = id;
    if (word === 'reserved') seen.holds.set(id, rest);
    if (word === 'settled') seen.settled.set(id, BigInt(rest));
    if (word === 'released') seen.released.add(id);
    if (word === 'credited') seen.credited.add(id);
    if (word === 'unavailable') seen.unavailable = id;
    onLine(++count);
  }
  return seen;
}

async function expectAllThere(seen: Acknowledged): Promise<void> {
  const world = await World.on({
    connect: () => openLedger(url, { clock: systemClock }),
    remove: async () => undefined,
  });
  await using ledger = world.ledger;
  await world.expectBalanced();

  const running = new Set(await ledger.holdsOf(seen.session));
  for (const [hold, key] of seen.holds) {
    // A hold that had got lost could be reserved again.
    const again = running.has(hold) ? undefined : await ledger.reserve(world.hold(key, 1n, { hold }));
    expect(again ?? { reason: 'released' }).toMatchObject({ reason: 'released' });
  }
  for (const [hold, charged] of seen.settled) {
    const again = await ledger.settle({ hold, provider: PROVIDER, cost: 1_000_000n, memo });
    expect(again).toMatchObject({ kind: 'settled', charged });
  }
  for (const hold of seen.released) {
    expect(await ledger.release(hold, seen.session)).toEqual({ kind: 'tombstone' });
  }
  for (const token of seen.credited) {
    expect(await ledger.redemption(token)).toMatchObject({ state: 'credited', credited: 6000n });
  }

  await ledger.reap(seen.session, 0n);
  for (const key of new Set(seen.holds.values())) {
    expect(await ledger.account(key, PROVIDER)).toMatchObject({ reserved: 0n });
  }
  await world.expectBalanced();
}

test('what was acknowledged before kill -9 is there after it, and the books balance', async () => {
  for (const lines of [40, 150 + Math.floor(Math.random() * 400), 150 + Math.floor(Math.random() * 400)]) {
    const writer = spawn(process.execPath, [program, url], { stdio: ['ignore', 'pipe', 'inherit'] });
    const seen = await follow(writer, (count) => count === lines && writer.kill('SIGKILL'));
    expect(seen.holds.size).toBeGreaterThan(0);
    await expectAllThere(seen);
  }
});

test('on a full disk operations fail as unavailable, and what was acknowledged is there', async () => {
  await using ledger = await openLedger(url, { clock: systemClock });
  // Blocks of 512 or 1024 bytes, as the shell likes it: full soon either way.
  const shell = `ulimit -f 2500; exec "$0" "$@"`;
  const args = ['-c', shell, process.execPath, program, url];
  const writer = spawn('sh', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(writer, 'exit');
  const seen = await follow(writer, () => undefined);
  await exited;
  expect(['not_applied', 'unknown']).toContain(seen.unavailable);
  expect(seen.settled.size).toBeGreaterThan(0);
  expect((await ledger.audit()).balanced).toBe(true);
  await expectAllThere(seen);
});
