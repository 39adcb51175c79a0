import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock as clock } from './clock.ts';
import { openLedger } from './open-ledger.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ledger-'));
});
afterAll(() => rm(folder, { recursive: true }));

test.for(['', 'ledger.sqlite', 'mysql://root:secret@db/ledger', 'sqlite://', 'sqlite:///a?mode=ro'])(
  'the URL %j is refused by its variable’s name, and not repeated',
  async (url) => {
    const error = await openLedger(url, { clock }).catch((error) => error);
    expect(error).toMatchObject({ code: 'ledger_url', message: expect.stringContaining('DATABASE_URL') });
    expect(error.message).not.toContain('secret');
  },
);

test('who only looks makes no database', async () => {
  const file = join(folder, 'none.sqlite');
  const opened = openLedger(`sqlite://${file}`, { clock, create: false });
  await expect(opened).rejects.toMatchObject({ code: 'ledger_missing' });
  expect(await readdir(folder)).not.toContain('none.sqlite');
});

test('who only looks migrates nothing', async () => {
  const file = join(folder, 'empty.sqlite');
  await writeFile(file, '');
  const opened = openLedger(`sqlite://${file}`, { clock, create: false });
  await expect(opened).rejects.toMatchObject({ code: 'ledger_outdated' });
});

test('a file that is no database, and a folder that is not there, stop the start', async () => {
  const file = join(folder, 'text.sqlite');
  await writeFile(
    file,
    'This is a text and no database, and it is long enough to be taken for one.'.repeat(99),
  );
  await expect(openLedger(`sqlite://${file}`, { clock })).rejects.toMatchObject({
    code: 'ledger_unreadable',
  });
  await expect(openLedger(`sqlite://${folder}/no/folder.sqlite`, { clock })).rejects.toMatchObject({
    code: 'ledger_unreadable',
  });
});

test('processes that start at once on a new file all find one schema', async () => {
  const url = `sqlite://${join(folder, 'new.sqlite')}`;
  const ledgers = await Promise.all(Array.from({ length: 4 }, () => openLedger(url, { clock })));
  const sessions = await Promise.all(ledgers.map((ledger) => ledger.openSession('shop')));
  expect(new Set(sessions.map(({ number }) => number)).size).toBe(4);
  await Promise.all(ledgers.map((ledger) => ledger.close()));
});
