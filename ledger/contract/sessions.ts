import { expect, test } from 'vitest';
import type { InWorld } from './world.ts';
import { type Database, memo, PROVIDER } from './world.ts';

export function describeSessions(inWorld: InWorld, inDatabase: () => Database): void {
  test('session numbers rise and never repeat, also across processes', async () => {
    const { ledger, clock, session } = inWorld();
    await using other = await inDatabase().connect(clock);
    const opened = await Promise.all([
      ledger.openSession(PROVIDER),
      other.openSession(PROVIDER),
      ledger.openSession(PROVIDER),
    ]);
    const numbers = opened.map(({ number }) => number);
    expect(new Set(numbers).size).toBe(3);
    expect(numbers.every((number) => number > session.number)).toBe(true);
  });

  test('a heartbeat raises the counter that observers see', async () => {
    const world = inWorld();
    const { ledger } = world;
    const session = await ledger.openSession(PROVIDER);
    const seen = async () =>
      (await ledger.observeSessions(world.session.id)).find(({ id }) => id === session.id)?.counter;
    const before = await seen();
    expect(await ledger.heartbeat(session.id)).toBe('alive');
    expect(await seen()).toBe(before! + 1n);
  });

  test('reaping charges what was accrued, sets the rest free and fences the session', async () => {
    const world = inWorld();
    const { ledger } = world;
    const session = await ledger.openSession(PROVIDER);
    const key = await world.fund(10_000n);
    const streamed = await world.reserve(key, 4000n, { session: session.id, accrued: 100n });
    const waiting = await world.reserve(key, 3000n, { session: session.id });
    expect(await ledger.accrue(session.id, [{ hold: streamed, accrued: 1200n }])).toBe('accrued');
    expect(await ledger.accrue(session.id, [{ hold: streamed, accrued: 700n }])).toBe('accrued');

    const reaped = await world.reap(session);
    expect({ ...reaped, holds: reaped.holds.toSorted() }).toEqual({
      fenced: true,
      holds: [streamed, waiting].toSorted(),
      charged: 1200n,
    });
    expect(await ledger.account(key, PROVIDER)).toMatchObject({ balance: 8800n, reserved: 0n, spent: 1200n });
    expect(await ledger.heartbeat(session.id)).toBe('fenced');
    expect(await ledger.accrue(session.id, [])).toBe('fenced');
    expect(await ledger.reserve(world.hold(key, 1n, { session: session.id }))).toEqual({
      kind: 'refused',
      reason: 'fenced',
    });
    expect(await ledger.extend({ hold: streamed, session: session.id, n: 1, amount: 9000n })).toEqual({
      kind: 'refused',
      reason: 'fenced',
    });
    expect(await ledger.beginAttempt(world.attempt(1000n, { session: session.id }))).toEqual({
      kind: 'fenced',
    });
  });

  test('of many reapers one wins, and a session that beat meanwhile is left alone', async () => {
    const world = inWorld();
    const { ledger } = world;
    const session = await ledger.openSession(PROVIDER);
    const key = await world.fund(10_000n);
    await world.reserve(key, 4000n, { session: session.id, accrued: 500n });
    await ledger.heartbeat(session.id);
    expect((await ledger.reap(session.id, 0n)).fenced).toBe(false);
    expect(await world.available(key)).toBe(6000n);

    const results = await Promise.all(Array.from({ length: 8 }, () => ledger.reap(session.id, 1n)));
    expect(results.filter(({ fenced }) => fenced)).toHaveLength(1);
    expect(await world.available(key)).toBe(9500n);
  });

  test('what a hold accrued never exceeds it', async () => {
    const world = inWorld();
    const session = await world.ledger.openSession(PROVIDER);
    const key = await world.fund(10_000n);
    const hold = await world.reserve(key, 4000n, { session: session.id });
    await world.ledger.accrue(session.id, [{ hold, accrued: 9000n }]);
    expect((await world.reap(session)).charged).toBe(4000n);
  });

  test('a settle after the reaper charges the difference: once, upwards, at most what is there', async () => {
    const world = inWorld();
    const { ledger } = world;
    const session = await ledger.openSession(PROVIDER);
    const key = await world.fund(10_000n);
    const reserve = () => world.reserve(key, 2000n, { session: session.id, accrued: 1000n });
    const [more, less, most] = [await reserve(), await reserve(), await reserve()];
    await world.reap(session);
    expect(await world.available(key)).toBe(7000n);

    const late = await world.settle(more, 1600n);
    expect(late).toMatchObject({ kind: 'settled', charged: 1600n, available: 6400n, late: true });
    expect(await world.settle(more, 1900n)).toEqual(late);
    expect(await world.settle(less, 300n)).toMatchObject({ charged: 1000n, available: 6400n, late: true });
    expect(await world.settle(less, 1900n)).toMatchObject({ charged: 1000n, available: 6400n });
    expect(await world.settle(most, 9000n)).toMatchObject({
      charged: 7400n,
      shortfall: 1600n,
      available: 0n,
    });
    expect(await ledger.account(key, PROVIDER)).toMatchObject({ requests: 3, spent: 10_000n });
  });

  test('a fenced process may settle what it served, and its holds are no longer its own', async () => {
    const world = inWorld();
    const { ledger } = world;
    const session = await ledger.openSession(PROVIDER);
    const key = await world.fund(5000n);
    const hold = await world.reserve(key, 4000n, { session: session.id });
    expect(await ledger.holdsOf(session.id)).toEqual([hold]);
    await world.reap(session);
    expect(await ledger.holdsOf(session.id)).toEqual([]);
    expect(await ledger.settle({ hold, provider: PROVIDER, cost: 700n, memo })).toMatchObject({
      charged: 700n,
    });
  });

  test('two processes spend one balance without spending it twice', async () => {
    const world = inWorld();
    await using other = await inDatabase().connect(world.clock);
    const theirs = await other.openSession(PROVIDER);
    const key = await world.fund(10_000n);
    const results = await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        n % 2 === 0
          ? world.ledger.reserve(world.hold(key, 1000n))
          : other.reserve(world.hold(key, 1000n, { session: theirs.id })),
      ),
    );
    expect(results.filter(({ kind }) => kind === 'reserved')).toHaveLength(10);
    expect(await world.available(key)).toBe(0n);
  });
}
