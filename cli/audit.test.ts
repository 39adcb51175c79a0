import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { World } from '../ledger/contract/world.ts';
import { systemClock as clock, openLedger } from '../ledger/index.ts';
import { auditScreen } from './audit-screen.ts';

const program = fileURLToPath(new URL('./audit.ts', import.meta.url));

let folder: string;
let url: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'audit-'));
  url = `sqlite://${join(folder, 'ledger.sqlite')}`;
});
afterEach(() => rm(folder, { recursive: true }));

/** Not on a terminal, as in a script. */
async function audit(env: NodeJS.ProcessEnv = { DATABASE_URL: url }, args: string[] = []) {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, ...env },
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  return { out, err, code };
}

async function openWorld(): Promise<World> {
  return World.on({ connect: () => openLedger(url, { clock }), remove: async () => undefined });
}

test('beside a running sidecar it finds the books balanced', async () => {
  const world = await openWorld();
  await using _ = world.ledger;
  const key = await world.fund(10_000n);
  await world.settle(await world.reserve(key, 3000n), 1500n);
  await world.reserve(key, 2000n);
  const { out, code } = await audit();
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    balanced: true,
    books: [
      {
        credited: '10000',
        balances: '8500',
        reserved: '2000',
        earned: '1500',
        difference: '0',
        held: '10000',
        owed: '10000',
      },
    ],
  });
});

test('books that do not balance are exit code 1, and the screen says what is wrong', async () => {
  const world = await openWorld();
  await using ledger = world.ledger;
  await world.fund(10_000n);
  const db = new DatabaseSync(join(folder, 'ledger.sqlite'));
  db.exec('update account set balance = balance - 1');
  db.close();
  const { out, code } = await audit();
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({ balanced: false, books: [{ difference: '1' }] });

  const screen = auditScreen(await ledger.audit(), false);
  expect(screen).toContain('✗ The books do not balance');
  expect(screen).toContain(
    'the balance of key sk-01234 is not the sum of its entries (10 000 expected, 9 999 found)',
  );
  expect(screen).toMatch(/difference +1\n/);
});

test('on a terminal it is one screen, in colour', async () => {
  const world = await openWorld();
  await using ledger = world.ledger;
  expect(auditScreen(await ledger.audit(), false)).toContain('Nothing was paid in yet.');
  await world.fund(10_000n);
  const screen = auditScreen(await ledger.audit(), true);
  expect(screen).toContain('\u001b[32m✓ The books balance.');
  expect(screen.split('\n').length).toBeLessThan(24);
});

test('without a ledger it says what to do, makes none, and exits with 2', async () => {
  const missing = await audit();
  expect(missing).toMatchObject({ code: 2, out: '' });
  expect(missing.err).toContain('make dev');
  expect(await audit({})).toMatchObject({ code: 2, err: expect.stringContaining('.dev/ledger.sqlite') });
  expect(await readdir(folder)).toEqual([]);
  expect(await audit({ DATABASE_URL: 'mongodb://secret@db' })).toMatchObject({
    code: 2,
    err: expect.not.stringContaining('secret'),
  });
  expect(await audit({ DATABASE_URL: url }, ['--jsn'])).toMatchObject({ code: 2 });
});
