import { randomUUIDv7 } from 'node:crypto';
import { expect, test } from 'vitest';
import type { InWorld } from './world.ts';
import { creditOf, hash, newAccount, PROVIDER, y } from './world.ts';

export function describeRequests(inWorld: InWorld): void {
  const change = (tokenHash: string) => inWorld().ledger.requestChange(tokenHash, randomUUIDv7());

  test('whoever settles it leaves the rest as a refund, in whole sats', async () => {
    const world = inWorld();
    const { key, tokenHash } = await world.fundRequest(10_000n);
    const hold = await world.reserve(key, 4000n);
    expect(await change(tokenHash)).toEqual({ kind: 'running' });

    const settled = await world.settle(hold, 1001n);
    expect(settled).toMatchObject({ charged: 2000n, shortfall: 0n, available: 0n });
    const refund = settled.kind === 'settled' ? settled.refund : null;
    expect(await world.ledger.refund(refund!)).toMatchObject({
      account: key,
      state: 'debited',
      amount: 8000n,
    });
    expect(await change(tokenHash)).toMatchObject({ kind: 'refund', refund: { id: refund } });
    expect(await world.settle(hold, 1001n)).toEqual(settled);
  });

  test('in msat nothing is rounded', async () => {
    const world = inWorld();
    const { key } = await world.fundRequest(10_000n, { unit: 'msat' });
    expect(await world.settle(await world.reserve(key, 4000n), 1001n)).toMatchObject({ charged: 1001n });
  });

  test('rounding takes no more than there is, and is no shortfall', async () => {
    const world = inWorld();
    const { key, tokenHash } = await world.fundRequest(10_000n);
    const hold = await world.reserve(key, 9500n);
    expect(await world.settle(hold, 9999n)).toMatchObject({ charged: 10_000n, shortfall: 0n, refund: null });
    expect(await change(tokenHash)).toEqual({ kind: 'nothing' });
  });

  test('a released request gets all of it back', async () => {
    const world = inWorld();
    const { key, tokenHash } = await world.fundRequest(10_000n);
    const hold = await world.reserve(key, 4000n);
    const released = await world.ledger.release(hold, world.session.id);
    expect(released).toMatchObject({ kind: 'released', available: 0n, refund: expect.any(String) });
    expect(await change(tokenHash)).toMatchObject({ kind: 'refund', refund: { amount: 10_000n } });
  });

  test('the reaper leaves the rest as a refund too, and a late settle finds nothing more to take', async () => {
    const world = inWorld();
    const session = await world.ledger.openSession(PROVIDER);
    const { key, tokenHash } = await world.fundRequest(10_000n);
    const hold = await world.reserve(key, 4000n, { session: session.id, accrued: 1500n });
    expect((await world.reap(session)).charged).toBe(2000n);
    const owed = await change(tokenHash);
    expect(owed).toMatchObject({ kind: 'refund', refund: { amount: 8000n } });
    expect(await world.settle(hold, 3000n)).toMatchObject({ charged: 2000n, shortfall: 1000n, late: true });
    expect(await change(tokenHash)).toEqual(owed);
  });

  test('it runs once, however often and by however many it is tried', async () => {
    const world = inWorld();
    const { key } = await world.fundRequest(10_000n);
    const results = await Promise.all(
      Array.from({ length: 20 }, () => world.ledger.reserve(world.hold(key, 100n))),
    );
    expect(results.filter(({ kind }) => kind === 'reserved')).toHaveLength(1);
    expect(results.at(-1)).toEqual({ kind: 'refused', reason: 'used' });
  });

  test('one that never ran is closed by asking for its change', async () => {
    const world = inWorld();
    const { key, tokenHash } = await world.fundRequest(10_000n);
    const [first, second] = await Promise.all([change(tokenHash), change(tokenHash)]);
    expect(first).toMatchObject({ kind: 'refund', refund: { amount: 10_000n } });
    expect(second).toEqual(first);
    expect(await world.ledger.reserve(world.hold(key, 1n))).toEqual({ kind: 'refused', reason: 'used' });
  });

  test('change too small to send stays with the provider, and the books say so', async () => {
    const world = inWorld();
    const before = (await world.book()).earned;
    const { key, tokenHash } = await world.fundRequest(10_000n);
    const hold = await world.reserve(key, 9000n);
    expect(await world.settle(hold, 9000n)).toMatchObject({ charged: 9000n, refund: null });
    expect(await change(tokenHash)).toEqual({ kind: 'nothing' });
    expect((await world.book()).earned).toBe(before + 10_000n);
  });

  test('its change is known only by its token, and only once that is redeemed', async () => {
    const world = inWorld();
    const tokenHash = hash();
    const begin = world.attempt(5000n, {
      tokenHash,
      target: { role: 'request', account: newAccount(), refundPubkey: y() },
    });
    expect(await change(tokenHash)).toEqual({ kind: 'unknown' });
    await world.ledger.beginAttempt(begin);
    expect(await change(tokenHash)).toEqual({ kind: 'undecided' });
    await world.ledger.creditAttempt(creditOf(begin));
    expect((await change(tokenHash)).kind).toBe('refund');

    const other = world.attempt(5000n);
    await world.ledger.beginAttempt(other);
    await world.ledger.creditAttempt(creditOf(other));
    expect(await change(other.tokenHash)).toEqual({ kind: 'unknown' });
  });

  test('it has no children, takes no top-up and gives no refund as a key', async () => {
    const world = inWorld();
    const { key } = await world.fundRequest(10_000n);
    expect(await world.ledger.requestRefund({ id: randomUUIDv7(), account: key, pubkey: y() })).toMatchObject(
      {
        reason: 'unknown_account',
      },
    );
    expect(
      await world.ledger.beginAttempt(world.attempt(1000n, { target: { role: 'topup', account: key } })),
    ).toEqual({ kind: 'account', reason: 'unknown' });
  });
}
