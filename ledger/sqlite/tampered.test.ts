import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock as clock } from '../clock.ts';
import { PROVIDER, World } from '../contract/world.ts';
import { openLedger } from '../open-ledger.ts';

let folder: string;
let file: string;
let world: World;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ledger-'));
  file = join(folder, 'ledger.sqlite');
  const connect = () => openLedger(`sqlite://${file}`, { clock });
  world = await World.on({ connect, remove: async () => undefined });
});
afterEach(async () => {
  await world.ledger.close();
  await rm(folder, { recursive: true });
});

/** Another process, with SQL of its own. */
function tamper(...statements: string[]): void {
  const db = new Database(file);
  db.pragma('ignore_check_constraints = on');
  for (const statement of statements) db.exec(statement);
  db.close();
}

test.for([
  ['books_balance', 'update account set balance = balance + 1'],
  ['balance_is_sum_of_entries', "update entry set amount = amount - 1 where kind = 'topup'"],
  ['reserved_is_sum_of_holds', 'update account set reserved = reserved + 1'],
  ['reserved_is_sum_of_holds', 'update account set own_reserved = own_reserved - 1'],
  ['reserved_is_sum_of_holds', 'delete from hold'],
  ['earning_is_sum_of_charges', 'update earning set amount = amount + 1'],
  ['nothing_negative', 'update account set balance = -5'],
  ['nothing_negative', 'update account set reserved = balance + 1'],
  ['held_covers_owed', "update proof set state = 'spent' where state = 'unspent'"],
  ['hold_ended_once', 'insert into tombstone select id, session, 0 from hold'],
] as const)('the audit sees %s broken by: %s', async ([rule, statement]) => {
  const key = await world.fund(10_000n);
  await world.settle(await world.reserve(key, 3000n), 2000n);
  await world.reserve(key, 1000n);
  await world.expectBalanced();
  tamper(statement);
  const { balanced, violations } = await world.ledger.audit();
  expect(balanced).toBe(false);
  expect(violations.map((violation) => violation.rule)).toContain(rule);
});

test('after a restore session numbers start above the generation', async () => {
  tamper('update meta set generation = 1000000');
  expect((await world.ledger.openSession(PROVIDER)).number).toBe(1_000_001n);
  expect((await world.ledger.openSession(PROVIDER)).number).toBe(1_000_002n);
});

test('a schema that newer code left usable is opened, one it did not is refused', async () => {
  tamper('update meta set version = 9');
  await (await openLedger(`sqlite://${file}`, { clock })).close();
  tamper('update meta set min_compatible = 9');
  await expect(openLedger(`sqlite://${file}`, { clock })).rejects.toMatchObject({ code: 'ledger_too_new' });
});

test('while another process keeps the file locked nothing is applied, and reading goes on', async () => {
  const key = await world.fund(10_000n);
  const db = new Database(file);
  db.exec('begin immediate');
  const refused = world.ledger.reserve(world.hold(key, 1000n));
  await expect(refused).rejects.toMatchObject({ code: 'ledger_unavailable', outcome: 'not_applied' });
  expect(await world.available(key)).toBe(10_000n);
  db.exec('rollback');
  db.close();
  await world.reserve(key, 1000n);
});

test('a closed ledger says so', async () => {
  await world.ledger.close();
  await expect(world.ledger.epoch()).rejects.toMatchObject({ outcome: 'not_applied' });
});
