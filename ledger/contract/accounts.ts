import { randomUUIDv7 } from 'node:crypto';
import { expect, test } from 'vitest';
import type { CreateChildren, KeyLimits, NewChild } from '../account.ts';
import type { KeyHash } from '../units.ts';
import type { InWorld } from './world.ts';
import { hash, MINT, NOON, newAccount, OTHER_MINT, PROVIDER } from './world.ts';

const DAY = 86_400_000;

export function describeAccounts(inWorld: InWorld): void {
  function creation(
    parent: KeyHash,
    children: NewChild[],
    over: Partial<CreateChildren> = {},
  ): CreateChildren {
    return {
      parent,
      provider: PROVIDER,
      mints: [MINT],
      children,
      cost: 0n,
      reference: randomUUIDv7(),
      ...over,
    };
  }

  async function child(parent: KeyHash, over: Partial<NewChild> = {}): Promise<KeyHash> {
    const keyHash = hash();
    const created = await inWorld().ledger.createChildren(
      creation(parent, [{ keyHash, preview: 'sk-child', ...over }]),
    );
    expect(created.kind).toBe('created');
    return keyHash;
  }

  /** A key with limits of its own. */
  function limited(amount: bigint, limits: KeyLimits): Promise<KeyHash> {
    return inWorld().fund(amount, { target: { role: 'create', account: newAccount(limits) } });
  }

  test('an account keeps what its first token was redeemed with', async () => {
    const world = inWorld();
    const account = newAccount({
      expiresAt: world.clock.now() + DAY,
      refundAddress: 'me@example.com',
      limit: 4000n,
      limitReset: 'weekly',
      validUntil: world.clock.now() + 1000,
    });
    const key = await world.fund(5000n, { target: { role: 'create', account } });
    expect(await world.ledger.account(key, PROVIDER)).toEqual({
      keyHash: key,
      kind: 'key',
      preview: 'sk-01234',
      available: 4000n,
      balance: 5000n,
      reserved: 0n,
      spent: 0n,
      requests: 0,
      mint: MINT,
      unit: 'sat',
      createdAt: world.clock.now(),
      expiresAt: account.expiresAt,
      refundAddress: 'me@example.com',
      parent: null,
      limit: 4000n,
      limitReset: 'weekly',
      validUntil: account.validUntil,
    });
    expect(await world.ledger.account(hash(), PROVIDER)).toBeUndefined();
  });

  test('a child spends its parent’s money and has none itself', async () => {
    const world = inWorld();
    const parent = await world.fund(10_000n);
    const key = await child(parent);
    const hold = await world.reserve(key, 4000n);
    expect(await world.available(parent)).toBe(6000n);
    expect(await world.ledger.account(key, PROVIDER)).toMatchObject({
      available: 6000n,
      reserved: 4000n,
      parent,
    });
    expect(await world.settle(hold, 1000n)).toMatchObject({ charged: 1000n, available: 9000n });
    expect(await world.ledger.account(parent, PROVIDER)).toMatchObject({
      balance: 9000n,
      reserved: 0n,
      spent: 1000n,
    });
    expect(await world.ledger.children(parent, PROVIDER)).toMatchObject([
      { keyHash: key, spent: 1000n, requests: 1, available: 9000n },
    ]);
  });

  test('a child’s limit holds under concurrency, and counts what is spent and what is held', async () => {
    const world = inWorld();
    const parent = await world.fund(50_000n);
    const key = await child(parent, { limit: 5000n });
    const first = await world.reserve(key, 1000n);
    await world.settle(first, 1000n);
    const results = await Promise.all(
      Array.from({ length: 20 }, () => world.ledger.reserve(world.hold(key, 1000n))),
    );
    expect(results.filter(({ kind }) => kind === 'reserved')).toHaveLength(4);
    expect(results.at(-1)).toEqual({ kind: 'limit', available: 0n });
    expect(await world.available(parent)).toBe(45_000n);
  });

  test('a cost beyond a child’s limit is a shortfall', async () => {
    const world = inWorld();
    const parent = await world.fund(50_000n);
    const key = await child(parent, { limit: 5000n });
    const hold = await world.reserve(key, 4000n);
    expect(await world.settle(hold, 9000n)).toMatchObject({
      charged: 5000n,
      shortfall: 4000n,
      available: 0n,
    });
    expect(await world.available(parent)).toBe(45_000n);
  });

  test.for([
    ['daily', 12 * 3_600_000],
    ['weekly', 5.5 * DAY],
    ['monthly', 17.5 * DAY],
  ] as const)('a %s limit starts again with its window', async ([limitReset, untilNext]) => {
    const world = inWorld();
    world.clock.set(NOON);
    const parent = await world.fund(50_000n);
    const key = await child(parent, { limit: 5000n, limitReset });
    await world.settle(await world.reserve(key, 5000n), 5000n);
    world.clock.advance(untilNext - 1);
    expect(await world.available(key)).toBe(0n);
    world.clock.advance(1);
    expect(await world.available(key)).toBe(5000n);
    await world.settle(await world.reserve(key, 2000n), 2000n);
    expect(await world.available(key)).toBe(3000n);
  });

  test('a key’s own limit holds under concurrency, and a top-up does not raise it', async () => {
    const world = inWorld();
    const key = await limited(50_000n, { limit: 5000n });
    await world.settle(await world.reserve(key, 1000n), 1000n);
    const results = await Promise.all(
      Array.from({ length: 20 }, () => world.ledger.reserve(world.hold(key, 1000n))),
    );
    expect(results.filter(({ kind }) => kind === 'reserved')).toHaveLength(4);
    expect(results.at(-1)).toEqual({ kind: 'limit', available: 0n });
    await world.fund(5000n, { target: { role: 'topup', account: key } });
    expect(await world.ledger.account(key, PROVIDER)).toMatchObject({ balance: 54_000n, available: 0n });
  });

  test('a key’s own limit starts again with its window, and what ran across its end counts in the new one', async () => {
    const world = inWorld();
    world.clock.set(NOON);
    const key = await limited(50_000n, { limit: 5000n, limitReset: 'daily' });
    await world.settle(await world.reserve(key, 3000n), 3000n);
    const running = await world.reserve(key, 2000n);
    world.clock.advance(DAY / 2);
    expect(await world.available(key)).toBe(3000n);
    expect(await world.settle(running, 500n)).toMatchObject({ charged: 500n, available: 4500n });
  });

  test('an extension and a late charge stay within a key’s own limit', async () => {
    const world = inWorld();
    const key = await limited(50_000n, { limit: 5000n });
    const session = await world.ledger.openSession(PROVIDER);
    const hold = await world.reserve(key, 2000n, { session: session.id });
    const extend = (n: number, amount: bigint) =>
      world.ledger.extend({ hold, session: session.id, n, amount });
    expect(await extend(1, 5001n)).toEqual({ kind: 'insufficient', available: 3000n });
    expect(await extend(1, 3000n)).toEqual({ kind: 'extended', available: 2000n });
    await world.ledger.accrue(session.id, [{ hold, accrued: 1000n }]);
    await world.reap(session);
    expect(await world.available(key)).toBe(4000n);
    expect(await world.settle(hold, 9000n)).toMatchObject({
      charged: 5000n,
      shortfall: 4000n,
      available: 0n,
      late: true,
    });
    expect(await world.available(key)).toBe(0n);
  });

  test('what children hold and spend is no part of their parent’s own limit', async () => {
    const world = inWorld();
    const key = await limited(50_000n, { limit: 5000n });
    const spender = await child(key);
    await world.settle(await world.reserve(spender, 8000n), 7000n);
    const running = await world.reserve(spender, 6000n);
    expect(await world.ledger.account(key, PROVIDER)).toMatchObject({
      balance: 43_000n,
      reserved: 6000n,
      available: 5000n,
    });
    const own = await world.reserve(key, 5000n);
    expect(
      await world.ledger.extend({ hold: running, session: world.session.id, n: 1, amount: 9000n }),
    ).toEqual({
      kind: 'extended',
      available: 29_000n,
    });
    await world.ledger.release(own, world.session.id);
    expect(await world.available(key)).toBe(5000n);
  });

  test('making children counts in the parent’s own limit', async () => {
    const world = inWorld();
    const key = await limited(50_000n, { limit: 5000n });
    const make = (cost: bigint) =>
      world.ledger.createChildren(creation(key, [{ keyHash: hash(), preview: 'sk-a' }], { cost }));
    expect(await make(3000n)).toEqual({ kind: 'created', parentAvailable: 2000n });
    expect(await make(2001n)).toEqual({ kind: 'refused', reason: 'limit', available: 2000n });
    expect(await world.available(key)).toBe(2000n);
  });

  test('what a limit refuses is called so even when the money is missing, too', async () => {
    const world = inWorld();
    const key = await limited(3000n, { limit: 2000n });
    expect(await world.ledger.reserve(world.hold(key, 4000n))).toEqual({ kind: 'limit', available: 2000n });
  });

  test('a key whose time is up is refused, with its children, and can still be refunded', async () => {
    const world = inWorld();
    const key = await limited(10_000n, { validUntil: world.clock.now() + 1000 });
    const heir = await child(key, { validUntil: world.clock.now() + DAY });
    await world.ledger.release(await world.reserve(heir, 1n), world.session.id);
    await world.ledger.release(await world.reserve(key, 1n), world.session.id);
    world.clock.advance(1000);
    for (const late of [key, heir]) {
      expect(await world.ledger.reserve(world.hold(late, 1n))).toMatchObject({ reason: 'expired' });
    }
    const topup = world.attempt(5000n, { target: { role: 'topup', account: key } });
    expect(await world.ledger.beginAttempt(topup)).toEqual({ kind: 'account', reason: 'expired' });
    expect(await world.ledger.createChildren(creation(key, []))).toMatchObject({ reason: 'expired' });
    expect(
      await world.ledger.requestRefund({ id: randomUUIDv7(), account: key, pubkey: `02${hash()}` }),
    ).toMatchObject({
      kind: 'refund',
      refund: { amount: 10_000n },
    });
  });

  test('a parent resets its own child’s limit and nobody else’s', async () => {
    const world = inWorld();
    const parent = await world.fund(50_000n);
    const key = await child(parent, { limit: 5000n });
    await world.settle(await world.reserve(key, 5000n), 5000n);
    expect(await world.ledger.resetChild(await world.fund(1000n), key)).toBe('unknown_child');
    expect(await world.available(key)).toBe(0n);
    expect(await world.ledger.resetChild(parent, parent)).toBe('unknown_child');
    expect(await world.ledger.resetChild(parent, key)).toBe('reset');
    expect(await world.available(key)).toBe(5000n);
  });

  test('a child is refused after its own time and after its parent’s', async () => {
    const world = inWorld();
    const account = newAccount({ expiresAt: world.clock.now() + 2000 });
    const parent = await world.fund(50_000n, { target: { role: 'create', account } });
    const short = await child(parent, { validUntil: world.clock.now() + 1000 });
    const long = await child(parent);
    world.clock.advance(1000);
    expect(await world.ledger.reserve(world.hold(short, 1n))).toMatchObject({ reason: 'expired' });
    await world.reserve(long, 1n);
    world.clock.advance(1000);
    expect(await world.ledger.reserve(world.hold(long, 1n))).toMatchObject({ reason: 'expired' });
  });

  test('children cost their parent, once for each request', async () => {
    const world = inWorld();
    const parent = await world.fund(10_000n);
    const two = [
      { keyHash: hash(), preview: 'sk-a' },
      { keyHash: hash(), preview: 'sk-b' },
    ];
    const create = creation(parent, two, { cost: 3000n });
    expect(await world.ledger.createChildren(create)).toEqual({ kind: 'created', parentAvailable: 7000n });
    expect(await world.ledger.createChildren(create)).toEqual({ kind: 'created', parentAvailable: 7000n });
    expect(await world.ledger.children(parent, PROVIDER)).toHaveLength(2);
  });

  test('children are refused to a child, without the money, for another mint and on an unknown key', async () => {
    const world = inWorld();
    const parent = await world.fund(10_000n);
    const one = () => [{ keyHash: hash(), preview: 'sk-a' }];
    const create = (...args: Parameters<typeof creation>) => world.ledger.createChildren(creation(...args));
    expect(await create(await child(parent), one())).toMatchObject({ reason: 'child' });
    expect(await create(parent, one(), { cost: 10_001n })).toEqual({
      kind: 'refused',
      reason: 'insufficient',
      available: 10_000n,
    });
    expect(await create(parent, one(), { mints: [OTHER_MINT] })).toMatchObject({ reason: 'mint' });
    expect(await create(hash(), one())).toMatchObject({ reason: 'unknown_account' });
  });

  test('history shows money in and out, newest first, and no more than asked', async () => {
    const world = inWorld();
    const key = await world.fund(5000n);
    world.clock.advance(1);
    await world.fund(3000n, { target: { role: 'topup', account: key } });
    world.clock.advance(1);
    await world.ledger.requestRefund({ id: randomUUIDv7(), account: key, pubkey: `02${hash()}` });
    expect(await world.ledger.history(key, 10)).toMatchObject([
      {
        type: 'out',
        source: 'refund',
        amount: 8000n,
        collected: false,
        swept: false,
        mint: MINT,
        unit: 'sat',
      },
      { type: 'in', source: 'cashu', amount: 3000n },
      { type: 'in', source: 'cashu', amount: 5000n },
    ]);
    expect(await world.ledger.history(key, 1)).toHaveLength(1);
  });
}
