import { randomUUIDv7 } from 'node:crypto';
import { expect, test } from 'vitest';
import { LedgerContractError } from '../errors.ts';
import type { BeginAttempt } from '../redemption.ts';
import type { InWorld } from './world.ts';
import { creditOf, hash, MINT, newAccount, OTHER_MINT, OTHER_PROVIDER, PROVIDER, y } from './world.ts';

export function describeRedemptions(inWorld: InWorld): void {
  const begin = (attempt: BeginAttempt) => inWorld().ledger.beginAttempt(attempt);
  const credit = (attempt: BeginAttempt) => inWorld().ledger.creditAttempt(creditOf(attempt));
  /** The same token, tried again: new outputs. */
  const again = (attempt: BeginAttempt, over: Partial<BeginAttempt> = {}): BeginAttempt => ({
    ...attempt,
    attempt: randomUUIDv7(),
    outputYs: [y(), y()],
    ...over,
  });
  const accountOf = ({ target }: BeginAttempt) =>
    target.role === 'topup' ? target.account : target.account.keyHash;

  test('a token is credited less its fee, once', async () => {
    const world = inWorld();
    const attempt = world.attempt(5000n);
    const account = accountOf(attempt);
    expect(await begin(attempt)).toEqual({ kind: 'begun' });
    expect(await world.ledger.account(account, PROVIDER)).toBeUndefined();
    expect(await Promise.all([credit(attempt), credit(attempt)])).toEqual([
      { kind: 'credited', account, amount: 5000n, available: 5000n },
      { kind: 'already', account, amount: 5000n },
    ]);
    expect(await world.ledger.redemption(attempt.tokenHash)).toMatchObject({
      state: 'credited',
      role: 'create',
      account,
      credited: 5000n,
    });
  });

  test('one token from 20 connections at once is one redemption', async () => {
    const world = inWorld();
    const attempt = world.attempt(5000n);
    const results = await Promise.all(Array.from({ length: 20 }, () => begin(again(attempt))));
    expect(results.filter(({ kind }) => kind === 'begun')).toHaveLength(1);
    expect(results.filter(({ kind }) => kind === 'known')).toHaveLength(19);
    expect(results.at(-1)).toMatchObject({
      redemption: { state: 'undecided', account: accountOf(attempt), credited: 0n },
    });
  });

  test('a token keeps the role it was first used in', async () => {
    const world = inWorld();
    const key = await world.fund(1000n);
    const attempt = world.attempt(5000n);
    await begin(attempt);
    const topup = again(attempt, { target: { role: 'topup', account: key } });
    const request = again(attempt, {
      target: { role: 'request', account: newAccount({ keyHash: accountOf(attempt) }), refundPubkey: y() },
    });
    expect(await begin(topup)).toEqual({ kind: 'other_role' });
    expect(await begin(request)).toEqual({ kind: 'other_role' });
    await credit(attempt);
    expect(await begin(topup)).toEqual({ kind: 'other_role' });
    expect(await begin(again(attempt))).toMatchObject({ kind: 'known', redemption: { state: 'credited' } });
  });

  test('a token that topped up one account can’t be claimed for another', async () => {
    const world = inWorld();
    const [mine, theirs] = [await world.fund(1000n), await world.fund(1000n)];
    const attempt = world.attempt(5000n, { target: { role: 'topup', account: mine } });
    await begin(attempt);
    await credit(attempt);
    expect(await begin(again(attempt, { target: { role: 'topup', account: theirs } }))).toEqual({
      kind: 'other_role',
    });
    expect(await world.available(mine)).toBe(6000n);
  });

  test('a proof counts once, in whatever token it comes', async () => {
    const world = inWorld();
    const first = world.attempt(5000n);
    await begin(first);
    const same = () => world.attempt(9000n, { inputYs: [y(), first.inputYs[1]!] });
    expect(await begin(same())).toEqual({ kind: 'inputs_taken', by: 'undecided' });
    await credit(first);
    expect(await begin(same())).toEqual({ kind: 'inputs_taken', by: 'credited' });

    const lost = world.attempt(5000n);
    await begin(lost);
    await world.ledger.markSpentElsewhere(lost.attempt);
    expect(await begin(world.attempt(1000n, { inputYs: lost.inputYs }))).toEqual({
      kind: 'inputs_taken',
      by: 'spent_elsewhere',
    });
  });

  test('an output that was announced before asks for new counters', async () => {
    const world = inWorld();
    const first = world.attempt(5000n);
    await begin(first);
    const reused = world.attempt(5000n, { outputYs: [y(), first.outputYs[0]!] });
    expect(await begin(reused)).toEqual({ kind: 'outputs_taken' });
    expect(await world.ledger.redemption(reused.tokenHash)).toBeUndefined();
  });

  test('a rejection frees the token: another role, another token with its proofs', async () => {
    const world = inWorld();
    const key = await world.fund(1000n);
    const attempt = world.attempt(5000n);
    await begin(attempt);
    await world.ledger.rejectAttempt(attempt.attempt);
    expect(await world.ledger.redemption(attempt.tokenHash)).toMatchObject({ state: 'rejected', role: null });

    const retry = again(attempt, { target: { role: 'topup', account: key } });
    expect(await begin(retry)).toEqual({ kind: 'begun' });
    await world.ledger.rejectAttempt(retry.attempt);
    expect(await begin(world.attempt(5000n, { inputYs: attempt.inputYs }))).toEqual({ kind: 'begun' });
  });

  test('only the latest attempt is rejected or found spent, and only while undecided', async () => {
    const world = inWorld();
    const { ledger } = world;
    const old = world.attempt(5000n);
    await begin(old);
    await ledger.rejectAttempt(old.attempt);
    const retry = again(old);
    await begin(retry);
    await ledger.rejectAttempt(old.attempt);
    await ledger.markSpentElsewhere(old.attempt);
    expect(await ledger.redemption(old.tokenHash)).toMatchObject({ state: 'undecided', role: 'create' });
    await credit(retry);
    await ledger.rejectAttempt(retry.attempt);
    await ledger.markSpentElsewhere(retry.attempt);
    expect(await ledger.redemption(old.tokenHash)).toMatchObject({ state: 'credited', credited: 5000n });
  });

  test('a swap thought dead that came through credits whom it was for, and the attempt after it nothing', async () => {
    const world = inWorld();
    const { ledger } = world;
    const key = await world.fund(1000n);
    const old = world.attempt(5000n);
    await begin(old);
    await ledger.rejectAttempt(old.attempt);
    const retry = again(old, { target: { role: 'topup', account: key } });
    await begin(retry);
    expect(await credit(old)).toMatchObject({ kind: 'credited', account: accountOf(old) });
    expect(await credit(retry)).toMatchObject({ kind: 'already', account: accountOf(old) });
    expect(await world.available(key)).toBe(1000n);
  });

  test('what a restore found after all is credited, unless its proofs were in another token', async () => {
    const world = inWorld();
    const { ledger } = world;
    const spent = world.attempt(5000n);
    await begin(spent);
    await ledger.markSpentElsewhere(spent.attempt);
    expect(await ledger.redemption(spent.tokenHash)).toMatchObject({
      state: 'spent_elsewhere',
      role: 'create',
    });
    expect(await credit(spent)).toMatchObject({ kind: 'credited', amount: 5000n });

    const rejected = world.attempt(5000n);
    await begin(rejected);
    await ledger.rejectAttempt(rejected.attempt);
    const other = world.attempt(5000n, { inputYs: rejected.inputYs });
    await begin(other);
    await credit(other);
    expect(await credit(rejected)).toEqual({ kind: 'already', account: accountOf(other), amount: 5000n });
  });

  test('proofs that prove a swap take its inputs from a token that merely named them', async () => {
    const world = inWorld();
    const { ledger } = world;
    const first = world.attempt(5000n);
    await begin(first);
    await ledger.rejectAttempt(first.attempt);
    const second = world.attempt(5000n, { inputYs: first.inputYs });
    await begin(second);
    await credit(first);
    await ledger.rejectAttempt(second.attempt);
    expect(await begin(world.attempt(1n, { inputYs: first.inputYs }))).toEqual({
      kind: 'inputs_taken',
      by: 'credited',
    });
  });

  test('only announced outputs of the right worth are stored', async () => {
    const world = inWorld();
    const attempt = world.attempt(5000n);
    await begin(attempt);
    const good = creditOf(attempt);
    const proof = good.proofs[0]!;
    const store = (...proofs: (typeof proof)[]) => world.ledger.creditAttempt({ ...good, proofs });
    await expect(store({ ...proof, y: y() })).rejects.toThrow(LedgerContractError);
    await expect(store({ ...proof, amount: 6n })).rejects.toThrow(LedgerContractError);
    await expect(store(proof, { ...proof, amount: 0n })).rejects.toThrow(LedgerContractError);
    const other = world.attempt(5000n);
    await begin(other);
    await expect(store({ ...proof, y: other.outputYs[0]! })).rejects.toThrow(LedgerContractError);
    expect(await world.ledger.creditAttempt(good)).toMatchObject({ kind: 'credited' });
    expect(await world.ledger.creditAttempt({ ...good, attempt: randomUUIDv7() })).toEqual({
      kind: 'unknown_attempt',
    });
  });

  test('a top-up needs an account that can take it', async () => {
    const world = inWorld();
    const account = newAccount({ expiresAt: world.clock.now() + 1000 });
    const key = await world.fund(5000n, { target: { role: 'create', account } });
    const topup = (over: Partial<BeginAttempt> = {}, to = key) =>
      begin(world.attempt(5000n, { target: { role: 'topup', account: to }, ...over }));
    const child = hash();
    await world.ledger.createChildren({
      parent: key,
      provider: PROVIDER,
      mints: [MINT],
      children: [{ keyHash: child, preview: 'sk-c' }],
      cost: 0n,
      reference: randomUUIDv7(),
    });
    expect(await topup({}, hash())).toEqual({ kind: 'account', reason: 'unknown' });
    expect(await topup({}, child)).toEqual({ kind: 'account', reason: 'child' });
    expect(await topup({ mint: OTHER_MINT })).toEqual({ kind: 'account', reason: 'mint' });
    expect(await topup({ unit: 'msat' })).toEqual({ kind: 'account', reason: 'mint' });
    world.clock.advance(1000);
    expect(await topup()).toEqual({ kind: 'account', reason: 'expired' });
  });

  test('the money held at a mint is bounded, with what is on its way', async () => {
    const world = inWorld();
    const mint = 'https://small.example';
    const bounded = (net: bigint) => world.attempt(net, { mint, maxExposure: 10_000n });
    await world.fund(4000n, { mint });
    const coming = bounded(4000n);
    expect(await begin(coming)).toEqual({ kind: 'begun' });
    expect(await begin(bounded(3000n))).toEqual({ kind: 'exposure', held: 8000n });
    expect(await begin(bounded(2000n))).toEqual({ kind: 'begun' });
    expect(await begin(bounded(1000n))).toEqual({ kind: 'exposure', held: 10_000n });
    await world.ledger.rejectAttempt(coming.attempt);
    expect(await begin(bounded(4000n))).toEqual({ kind: 'begun' });
  });

  test('recovery finds what is undecided, oldest first, and whether anybody is still at work on it', async () => {
    const world = inWorld();
    const { ledger } = world;
    const provider = `cluster/shop/${hash()}`;
    const session = await ledger.openSession(provider);
    const [first, second, decided] = [1, 2, 3].map(() =>
      world.attempt(5000n, { provider, session: session.id, outputs: '["blinded"]' }),
    ) as [BeginAttempt, BeginAttempt, BeginAttempt];
    for (const attempt of [first, second, decided]) {
      await begin(attempt);
      world.clock.advance(1);
    }
    await credit(decided);
    const found = await ledger.undecidedAttempts(provider, 10);
    expect(found.map(({ id }) => id)).toEqual([first.attempt, second.attempt]);
    expect(found[0]).toEqual({
      id: first.attempt,
      tokenHash: first.tokenHash,
      provider,
      session: session.id,
      sessionDead: false,
      state: 'undecided',
      mint: MINT,
      unit: 'sat',
      gross: 6000n,
      fee: 1000n,
      inputYs: first.inputYs,
      outputs: '["blinded"]',
      createdAt: world.clock.now() - 3,
    });
    await world.reap(session);
    expect(await ledger.undecidedAttempts(provider, 1)).toMatchObject([
      { id: first.attempt, sessionDead: true },
    ]);
    expect(await ledger.undecidedAttempts(OTHER_PROVIDER, 10)).toEqual([]);
    expect((await ledger.audit()).undecided).toBeGreaterThanOrEqual(2);
  });

  test('recovery finds every attempt that ever named a proof, whatever the token', async () => {
    const world = inWorld();
    const first = world.attempt(5000n);
    await begin(first);
    await world.ledger.rejectAttempt(first.attempt);
    world.clock.advance(1);
    const second = world.attempt(5000n, { inputYs: [first.inputYs[0]!, y()] });
    await begin(second);
    const found = await world.ledger.attemptsOnInputs([...first.inputYs, y()]);
    expect(found.map(({ id, state }) => [id, state])).toEqual([
      [first.attempt, 'rejected'],
      [second.attempt, 'undecided'],
    ]);
  });
}
