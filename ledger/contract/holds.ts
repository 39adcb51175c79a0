import { randomUUIDv7 } from 'node:crypto';
import { expect, test } from 'vitest';
import { LedgerContractError } from '../errors.ts';
import type { InWorld } from './world.ts';
import { hash, memo, newAccount, OTHER_MINT, OTHER_PROVIDER, PROVIDER } from './world.ts';

export function describeHolds(inWorld: InWorld): void {
  test('a reserve takes from what is available and a settle gives back what was not used', async () => {
    const world = inWorld();
    const key = await world.fund(10_000n);
    const hold = world.hold(key, 4000n);

    expect(await world.ledger.reserve(hold)).toEqual({ kind: 'reserved', available: 6000n });
    expect(await world.ledger.account(key, PROVIDER)).toMatchObject({ balance: 10_000n, reserved: 4000n });
    expect(await world.settle(hold.hold, 1500n)).toEqual({
      kind: 'settled',
      charged: 1500n,
      shortfall: 0n,
      available: 8500n,
      late: false,
      refund: null,
    });
    expect(await world.ledger.account(key, PROVIDER)).toMatchObject({
      balance: 8500n,
      reserved: 0n,
      spent: 1500n,
      requests: 1,
    });
  });

  test('200 reserves at once on money for 10 get 10', async () => {
    const world = inWorld();
    const key = await world.fund(10_000n);
    const results = await Promise.all(
      Array.from({ length: 200 }, () => world.ledger.reserve(world.hold(key, 1000n))),
    );
    expect(results.filter(({ kind }) => kind === 'reserved')).toHaveLength(10);
    expect(results.filter(({ kind }) => kind === 'insufficient')).toHaveLength(190);
    expect(await world.available(key)).toBe(0n);
  });

  test('a reserve that is asked again says what it said, and reserves once', async () => {
    const world = inWorld();
    const key = await world.fund(10_000n);
    const hold = world.hold(key, 4000n);
    const answers = await Promise.all([world.ledger.reserve(hold), world.ledger.reserve(hold)]);
    expect(answers).toEqual([
      { kind: 'reserved', available: 6000n },
      { kind: 'reserved', available: 6000n },
    ]);
  });

  test('an id that was charged serves no second request', async () => {
    const world = inWorld();
    const key = await world.fund(10_000n);
    const hold = world.hold(key, 4000n);
    await world.ledger.reserve(hold);
    await world.settle(hold.hold, 10n);
    expect(await world.ledger.reserve(hold)).toEqual({ kind: 'refused', reason: 'released' });
  });

  test('a price of 0 needs no money', async () => {
    const world = inWorld();
    const key = await world.fund(0n);
    const hold = await world.reserve(key, 0n);
    expect(await world.settle(hold, 0n)).toMatchObject({ kind: 'settled', charged: 0n });
  });

  test('a reserve is refused for an unknown account, an expired one, and one of another mint', async () => {
    const world = inWorld();
    const { ledger, clock } = world;
    expect(await ledger.reserve(world.hold(hash(), 1n))).toEqual({
      kind: 'refused',
      reason: 'unknown_account',
    });

    const account = newAccount({ expiresAt: clock.now() + 1000 });
    const key = await world.fund(5000n, { target: { role: 'create', account } });
    expect(await ledger.reserve(world.hold(key, 1n, { mints: [OTHER_MINT] }))).toEqual({
      kind: 'refused',
      reason: 'mint',
    });
    await world.reserve(key, 1n);
    clock.advance(1000);
    expect(await ledger.reserve(world.hold(key, 1n))).toEqual({ kind: 'refused', reason: 'expired' });
  });

  test('money that one provider claimed is not another provider’s to spend before it is confirmed', async () => {
    const world = inWorld();
    const key = await world.fund(5000n);
    expect(await world.available(key)).toBe(5000n);
    expect(await world.available(key, OTHER_PROVIDER)).toBe(0n);
    expect(await world.ledger.reserve(world.hold(key, 1n, { provider: OTHER_PROVIDER }))).toEqual({
      kind: 'insufficient',
      available: 0n,
    });
    await world.fund(2000n, { target: { role: 'topup', account: key }, provider: OTHER_PROVIDER });
    expect(await world.available(key, OTHER_PROVIDER)).toBe(2000n);
    expect(await world.available(key)).toBe(5000n);
  });

  test('settling twice charges once and says the same', async () => {
    const world = inWorld();
    const key = await world.fund(10_000n);
    const hold = await world.reserve(key, 4000n);
    const [first, second] = await Promise.all([world.settle(hold, 1500n), world.settle(hold, 9999n)]);
    expect(second).toEqual(first);
    expect(await world.available(key)).toBe(8500n);
  });

  test('a cost beyond the hold is taken from what is available, and what is not there is recorded as shortfall', async () => {
    const world = inWorld();
    const key = await world.fund(10_000n);
    const other = await world.reserve(key, 3000n);
    const hold = await world.reserve(key, 4000n);
    expect(await world.settle(hold, 9000n)).toMatchObject({
      charged: 7000n,
      shortfall: 2000n,
      available: 0n,
    });
    expect(await world.settle(other, 3000n)).toMatchObject({ charged: 3000n, shortfall: 0n });
  });

  test('only the provider that served a request can settle it', async () => {
    const world = inWorld();
    const key = await world.fund(10_000n);
    const hold = await world.reserve(key, 4000n);
    expect(await world.ledger.settle({ hold, provider: OTHER_PROVIDER, cost: 1n, memo })).toEqual({
      kind: 'unknown_hold',
    });
    expect(await world.settle(randomUUIDv7(), 1n)).toEqual({ kind: 'unknown_hold' });
  });

  test('a release gives everything back and counts no request', async () => {
    const world = inWorld();
    const key = await world.fund(10_000n);
    const hold = await world.reserve(key, 4000n);
    expect(await world.ledger.release(hold, world.session.id)).toEqual({
      kind: 'released',
      available: 10_000n,
      refund: null,
    });
    expect(await world.ledger.account(key, PROVIDER)).toMatchObject({ requests: 0, spent: 0n });
    expect(await world.settle(hold, 5n)).toEqual({ kind: 'unknown_hold' });
  });

  test('a reserve that comes after its release does nothing', async () => {
    const world = inWorld();
    const key = await world.fund(10_000n);
    const late = world.hold(key, 4000n);
    expect(await world.ledger.release(late.hold, world.session.id)).toEqual({ kind: 'tombstone' });
    expect(await world.ledger.reserve(late)).toEqual({ kind: 'refused', reason: 'released' });

    const repeated = world.hold(key, 4000n);
    await world.ledger.reserve(repeated);
    await world.ledger.release(repeated.hold, world.session.id);
    expect(await world.ledger.reserve(repeated)).toEqual({ kind: 'refused', reason: 'released' });
    expect(await world.available(key)).toBe(10_000n);
  });

  test('a release after the settle leaves the charge', async () => {
    const world = inWorld();
    const key = await world.fund(10_000n);
    const hold = await world.reserve(key, 4000n);
    await world.settle(hold, 100n);
    expect(await world.ledger.release(hold, world.session.id)).toEqual({ kind: 'settled' });
    expect(await world.available(key)).toBe(9900n);
  });

  test('a stream extends its hold, once for each n, until the account is empty', async () => {
    const world = inWorld();
    const { ledger, session } = world;
    const key = await world.fund(10_000n);
    const hold = await world.reserve(key, 4000n);
    const extend = (n: number, amount: bigint) => ledger.extend({ hold, session: session.id, n, amount });
    expect(await extend(1, 7000n)).toEqual({ kind: 'extended', available: 3000n });
    expect(await extend(1, 7000n)).toEqual({ kind: 'extended', available: 3000n });
    expect(await extend(2, 11_000n)).toEqual({ kind: 'insufficient', available: 3000n });
    expect(await extend(3, 10_000n)).toEqual({ kind: 'extended', available: 0n });
    expect(await extend(2, 9000n)).toEqual({ kind: 'extended', available: 0n });
    expect(
      await ledger.extend({ hold: randomUUIDv7(), session: session.id, n: 1, amount: 1n }),
    ).toMatchObject({
      reason: 'unknown_hold',
    });
    expect(await world.settle(hold, 9500n)).toMatchObject({ charged: 9500n, available: 500n });
  });

  test('an operation that can’t be meant fails alone: the others of its batch are applied', async () => {
    const world = inWorld();
    const key = await world.fund(10_000n);
    const answers = await Promise.allSettled([
      world.ledger.reserve(world.hold(key, 1000n)),
      world.ledger.reserve(world.hold(key, -5n)),
      world.ledger.reserve(world.hold(key, 1n, { accrued: 2n })),
      world.ledger.reserve(world.hold(key, 2000n)),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(answers[1]).toMatchObject({ reason: expect.any(LedgerContractError) });
    expect(await world.available(key)).toBe(7000n);
  });
}
