import { randomUUIDv7 } from 'node:crypto';
import { expect, test } from 'vitest';
import type { RequestInvoice } from '../invoice.ts';
import type { RequestRefund } from '../refund.ts';
import type { KeyHash } from '../units.ts';
import type { InWorld } from './world.ts';
import { hash, MINT, newAccount, OTHER_MINT, PROVIDER, y } from './world.ts';

export function describeRefunds(inWorld: InWorld): void {
  const ask = (account: KeyHash, over: Partial<RequestRefund> = {}) =>
    inWorld().ledger.requestRefund({ id: randomUUIDv7(), account, pubkey: y(), ...over });

  const invoice = (over: Partial<RequestInvoice> = {}): RequestInvoice => ({
    idHash: hash(),
    purpose: 'create',
    account: hash(),
    preview: 'sk-01234',
    provider: PROVIDER,
    mints: [MINT, OTHER_MINT],
    amount: 21_000n,
    wantedUntil: inWorld().clock.now() + 60_000,
    ...over,
  });

  test('asking for a refund takes the whole sats, and the rest stays on the key', async () => {
    const world = inWorld();
    const key = await world.fund(10_000n);
    await world.settle(await world.reserve(key, 500n), 500n);
    const id = randomUUIDv7();
    const { refundsPending, refunded, owed } = await world.book();
    const result = await ask(key, { id });
    const refund = {
      id,
      account: key,
      state: 'debited',
      amount: 9000n,
      mint: MINT,
      unit: 'sat',
      recipient: null,
      sealed: null,
      createdAt: world.clock.now(),
    };
    expect(result).toEqual({ kind: 'refund', refund });
    expect(await world.ledger.refund(id)).toEqual(refund);
    expect(await world.available(key)).toBe(500n);
    expect(await world.book()).toMatchObject({
      refunded: refunded + 9000n,
      refundsPending: refundsPending + 9000n,
      owed,
    });
  });

  test('in msat all of it goes', async () => {
    const world = inWorld();
    const key = await world.fund(10_001n, { unit: 'msat' });
    expect(await ask(key)).toMatchObject({ refund: { amount: 10_001n, unit: 'msat' } });
  });

  test('while a refund is pending every request is that refund', async () => {
    const world = inWorld();
    const key = await world.fund(10_000n);
    const [first, second] = await Promise.all([ask(key), ask(key)]);
    expect(second).toEqual(first);
    await world.fund(5000n, { target: { role: 'topup', account: key } });
    expect(await ask(key)).toEqual(first);
    expect(await ask(key, { recipient: 'me@example.com' })).toEqual({ kind: 'other_destination' });
    expect(await world.available(key)).toBe(5000n);
  });

  test('it goes to the account’s own address unless another is asked for', async () => {
    const world = inWorld();
    const create = () =>
      world.fund(10_000n, {
        target: { role: 'create', account: newAccount({ refundAddress: 'me@example.com' }) },
      });
    expect(await ask(await create())).toMatchObject({ refund: { recipient: 'me@example.com' } });
    expect(await ask(await create(), { recipient: 'you@example.com' })).toMatchObject({
      refund: { recipient: 'you@example.com' },
    });
  });

  test('no refund while a request runs, also a child’s', async () => {
    const world = inWorld();
    const key = await world.fund(10_000n);
    const child = hash();
    await world.ledger.createChildren({
      parent: key,
      provider: PROVIDER,
      mints: [MINT],
      children: [{ keyHash: child, preview: 'sk-c' }],
      cost: 0n,
      reference: randomUUIDv7(),
    });
    const hold = await world.reserve(child, 100n);
    expect(await ask(key)).toEqual({ kind: 'running' });
    await world.settle(hold, 0n);
    expect(await ask(child)).toEqual({ kind: 'refused', reason: 'child' });
    expect((await ask(key)).kind).toBe('refund');
  });

  test('a refund and a reserve at once: one of them gets the money', async () => {
    const world = inWorld();
    for (let round = 0; round < 10; round++) {
      const key = await world.fund(10_000n);
      const [reserved, refund] = await Promise.all([world.ledger.reserve(world.hold(key, 6000n)), ask(key)]);
      expect([reserved.kind, refund.kind]).toEqual(['reserved', 'running']);
      const other = await world.fund(10_000n);
      const [first, late] = await Promise.all([ask(other), world.ledger.reserve(world.hold(other, 6000n))]);
      expect([first.kind, late.kind]).toEqual(['refund', 'insufficient']);
    }
  });

  test('what there is not, or can’t pay its own way, is no refund', async () => {
    const world = inWorld();
    expect(await ask(hash())).toEqual({ kind: 'refused', reason: 'unknown_account' });
    expect(await ask(await world.fund(0n))).toEqual({ kind: 'nothing' });
    expect(await ask(await world.fund(1000n))).toEqual({ kind: 'too_small' });
    expect((await ask(await world.fund(2000n))).kind).toBe('refund');
  });

  test('an expired key is refunded', async () => {
    const world = inWorld();
    const account = newAccount({ expiresAt: world.clock.now() + 1 });
    const key = await world.fund(5000n, { target: { role: 'create', account } });
    world.clock.advance(1000);
    expect((await ask(key)).kind).toBe('refund');
  });

  test('an invoice waits for the wallet, whoever knows its id can follow it', async () => {
    const world = inWorld();
    const create = invoice();
    expect(await world.ledger.requestInvoice(create)).toEqual({ kind: 'requested' });
    expect(await world.ledger.requestInvoice(create)).toEqual({ kind: 'requested' });
    expect(await world.ledger.invoice(create.idHash)).toEqual({
      idHash: create.idHash,
      state: 'requested',
      purpose: 'create',
      account: create.account,
      amount: 21_000n,
      mint: MINT,
      bolt11: null,
      paymentHash: null,
      createdAt: world.clock.now(),
      expiresAt: null,
      paidAt: null,
    });
    expect(await world.ledger.invoice(hash())).toBeUndefined();
  });

  test('a Lightning top-up uses its account’s mint, and needs an account that can take it', async () => {
    const world = inWorld();
    const account = newAccount({ expiresAt: world.clock.now() + 1000 });
    const key = await world.fund(5000n, { target: { role: 'create', account }, mint: OTHER_MINT });
    const topup = (over: Partial<RequestInvoice> = {}) =>
      invoice({ purpose: 'topup', account: key, ...over });
    const asked = topup();
    expect(await world.ledger.requestInvoice(asked)).toEqual({ kind: 'requested' });
    expect(await world.ledger.invoice(asked.idHash)).toMatchObject({ mint: OTHER_MINT, purpose: 'topup' });
    expect(await world.ledger.requestInvoice(topup({ mints: [MINT] }))).toMatchObject({ reason: 'mint' });
    expect(await world.ledger.requestInvoice(topup({ account: hash() }))).toMatchObject({
      reason: 'unknown_account',
    });
    world.clock.advance(1000);
    expect(await world.ledger.requestInvoice(topup())).toMatchObject({ reason: 'expired' });
  });

  test('no wallet has worked on a new ledger', async () => {
    expect(await inWorld().ledger.epoch()).toBe(0n);
  });
}
