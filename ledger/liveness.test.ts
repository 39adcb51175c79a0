import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from './contract/manual-clock.ts';
import { PROVIDER, World } from './contract/world.ts';
import type { Ledger } from './ledger.ts';
import { LiveSession } from './live-session.ts';
import { openLedger } from './open-ledger.ts';
import { Observation, runReaper } from './reaper.ts';
import type { Session } from './session.ts';

describe('an observation', () => {
  const beat = (counter: bigint) => ({ id: 's', provider: PROVIDER, counter });
  /** Looks every 2 s; each counter is what one look sees. */
  function looks(observation: Observation, counters: bigint[], from = 0): number[] {
    return counters.flatMap((counter, n) => {
      const at = from + n * 2000;
      return observation.look([beat(counter)], at, at).length > 0 ? [at] : [];
    });
  }
  const still = (count: number) => Array.from({ length: count }, () => 7n);

  test('finds a session dead after its counter stood still for 30 s', () => {
    expect(looks(new Observation(), still(17))).toEqual([30_000, 32_000]);
  });

  test('begins again with every heartbeat', () => {
    expect(looks(new Observation(), [...still(15), 8n, ...Array.from({ length: 15 }, () => 8n)])).toEqual([
      60_000,
    ]);
  });

  test('begins again after a failure', () => {
    const observation = new Observation();
    expect(looks(observation, still(15))).toEqual([]);
    observation.forget();
    expect(looks(observation, still(16), 30_000)).toEqual([60_000]);
  });

  test('proves nothing about a time in which nobody looked', () => {
    const observation = new Observation();
    looks(observation, still(2));
    expect(looks(observation, still(15), 60_000)).toEqual([]);
  });

  test('takes a slow answer as seen when it came', () => {
    const observation = new Observation();
    observation.look([beat(7n)], 0, 5000);
    for (let at = 7000; at < 35_000; at += 2000) expect(observation.look([beat(7n)], at, at)).toEqual([]);
    expect(observation.look([beat(7n)], 35_000, 35_000)).toEqual([beat(7n)]);
  });
});

describe('a process', () => {
  let folder: string;
  let clock: ManualClock;
  let ledger: Ledger;
  let world: World;
  let stop: AbortController;
  let ended: Promise<unknown>[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ledger-'));
    clock = new ManualClock();
    world = await reopen();
    ledger = world.ledger;
    stop = new AbortController();
    ended = [];
  });

  afterEach(async () => {
    stop.abort();
    await Promise.all(ended);
    await world.expectBalanced();
    await ledger.close();
    await rm(folder, { recursive: true });
  });

  async function reopen(): Promise<World> {
    return World.on({
      connect: () => openLedger(`sqlite://${join(folder, 'ledger.sqlite')}`, { clock }),
      remove: async () => undefined,
    });
  }

  async function live(holds = new Set<string>(), fenced: Session[] = []): Promise<LiveSession> {
    const session = await LiveSession.open({
      ledger,
      provider: PROVIDER,
      clock,
      holdsInMemory: () => holds,
      onFenced: (session) => fenced.push(session),
    });
    ended.push(session.run(stop.signal));
    await clock.sleeping(ended.length);
    return session;
  }

  async function reaper(observer: LiveSession, reaped: string[] = []): Promise<void> {
    const onReaped = ({ id }: { id: string }) => reaped.push(id);
    ended.push(runReaper({ ledger, clock, observer: () => observer.session.id, onReaped }, stop.signal));
    await clock.sleeping(ended.length);
  }

  test('that died is reaped within 35 s, one that lives never', async () => {
    const alive = await live();
    const dead = await ledger.openSession(PROVIDER);
    const key = await world.fund(10_000n);
    const hold = world.hold(key, 4000n, { session: dead.id, accrued: 1500n });
    await ledger.reserve(hold);
    const reaped: string[] = [];
    await reaper(alive, reaped);

    await clock.advance(29_000);
    expect(reaped).toEqual([]);
    await clock.advance(6000);
    expect(reaped.toSorted()).toEqual([dead.id, world.session.id].toSorted());
    expect(await ledger.account(key, PROVIDER)).toMatchObject({ balance: 8500n, reserved: 0n });
    await clock.advance(300_000);
    expect(await ledger.heartbeat(alive.session.id)).toBe('alive');
  });

  test('reaps nobody right after it was stopped itself', async () => {
    const alive = await live();
    const other = await ledger.openSession(PROVIDER);
    const reaped: string[] = [];
    await reaper(alive, reaped);
    await clock.advance(10_000);
    clock.jump(3_600_000);
    await clock.advance(10_000);
    expect(reaped).toEqual([]);
    expect(await ledger.heartbeat(other.id)).toBe('alive');
  });

  test('trusts its session for 20 s after the last heartbeat it sent, and no longer without a ledger', async () => {
    const session = await live();
    expect(session.trustedUntil()).toBe(20_000);
    await clock.advance(3000);
    expect(session.trustedUntil()).toBe(23_000);
    await ledger.close();
    await clock.advance(30_000);
    expect(session.trustedUntil()).toBe(23_000);
    world = await reopen();
    ledger = world.ledger;
  });

  test('that was taken for dead goes on with a new session', async () => {
    const fenced: Session[] = [];
    const session = await live(new Set(), fenced);
    const { id, number } = session.session;
    await ledger.reap(id, 0n);
    await clock.advance(3000);
    expect(fenced).toEqual([session.session]);
    expect(session.session.id).not.toBe(id);
    expect(session.session.number).toBeGreaterThan(number);
    await clock.advance(3000);
    expect(await ledger.heartbeat(session.session.id)).toBe('alive');
  });

  test('releases within a minute what it does not know of, and keeps what it does', async () => {
    const holds = new Set<string>();
    const session = await live(holds);
    const key = await world.fund(10_000n);
    const reserve = async () => {
      const hold = world.hold(key, 1000n, { session: session.session.id });
      await ledger.reserve(hold);
      return hold.hold;
    };
    const known = await reserve();
    holds.add(known);
    await reserve();
    await clock.advance(61_000);
    expect(await ledger.holdsOf(session.session.id)).toEqual([known]);
    expect(await world.available(key)).toBe(9000n);
  });
});
