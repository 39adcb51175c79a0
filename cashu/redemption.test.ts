import { randomBytes } from 'node:crypto';
import { getDecodedToken, hashToCurve, Wallet } from '@cashu/cashu-ts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Fault } from '../sqlite-dev/mint/faults.ts';
import { type RunningMint, startMint } from '../sqlite-dev/mint/start-mint.ts';
import { mintToken } from '../sqlite-dev/mint-token.ts';
import { newAccount, openTill, patient, type Till, type TillOptions } from '../tests/mints/till.ts';

let mint: RunningMint;
let till: Till;
let token: string;
let before: Record<string, number>;

/** Short enough that a mint that hangs is given up on within a test. */
const mintTimeout = 1_000;

async function open(options: Partial<TillOptions> = {}): Promise<Till> {
  return await openTill({ mints: [{ url: mint.url }], mintTimeout, ...options });
}

beforeAll(async () => {
  mint = await startMint();
});

afterAll(() => mint.close());

beforeEach(async () => {
  till = await open();
  token = await mintToken(mint.url, 100);
  // From here on only what a redemption itself needs is asked of the mint.
  await till.redeemer.warm(patient);
  before = mint.stats().hits;
});

afterEach(async () => {
  mint.clearFaults();
  expect((await till.ledger.audit()).violations).toEqual([]);
  expect(mint.stats().units.sat?.difference).toBe(0);
  await till[Symbol.asyncDispose]();
});

const hits = (path: string) => mint.hits(path) - (before[path] ?? 0);
const swaps = () => hits('POST /v1/swap');
const alerts = () => till.events.filter(({ alert }) => alert).map(({ kind }) => kind);
const pending = { code: 'cashu_redemption_pending', spendable: false, retryAfter: 5 };

function onSwap(fault: Record<string, unknown>): void {
  mint.fault({ path: 'POST /v1/swap', times: 1, ...fault } as Fault);
}

/** What another wallet does with a copy of the token. */
async function spendElsewhere(): Promise<void> {
  const wallet = new Wallet(mint.url, { unit: 'sat' });
  await wallet.loadMint();
  await wallet.receive(token);
}

async function inputYs(): Promise<string[]> {
  const { keysets } = (await (await fetch(`${mint.url}/v1/keysets`)).json()) as { keysets: { id: string }[] };
  const { proofs } = getDecodedToken(
    token,
    keysets.map(({ id }) => id),
  );
  return proofs.map(({ secret }) => hashToCurve(Buffer.from(secret)).toHex(true));
}

describe('a swap whose answer is lost after the mint committed', () => {
  const faults: [string, Record<string, unknown>][] = [
    ['connection reset', { kind: 'drop', when: 'after' }],
    ['answered too late', { kind: 'delay', when: 'after', ms: 2_000 }],
    ['500', { kind: 'status', when: 'after', status: 500 }],
    ['“already spent”, as to a replay', { kind: 'status', when: 'after', status: 400, code: 11001 }],
    ['“pending”', { kind: 'status', when: 'after', status: 400, code: 11002 }],
    ['“already signed”', { kind: 'status', when: 'after', status: 400, code: 11003 }],
    ['“unbalanced”', { kind: 'status', when: 'after', status: 400, code: 11000 }],
    ['a web page', { kind: 'html', when: 'after' }],
    ['a redirect', { kind: 'redirect', when: 'after', location: 'http://127.0.0.1:1/' }],
    ['half an answer', { kind: 'truncated' }],
    ['ten megabytes', { kind: 'huge', bytes: 10 * 1024 * 1024 }],
    ['a byte at a time', { kind: 'drip', ms: 20 }],
    ['signatures with a wrong DLEQ proof', { kind: 'signatures', defect: 'wrong_dleq' }],
    ['signatures without a DLEQ proof', { kind: 'signatures', defect: 'no_dleq' }],
    ['signatures on wrong amounts', { kind: 'signatures', defect: 'wrong_amount' }],
    ['signatures of another keyset', { kind: 'signatures', defect: 'wrong_keyset' }],
    ['a signature short', { kind: 'signatures', defect: 'missing' }],
  ];

  test.each(faults)('is found again and credited at once: %s', async (_, fault) => {
    onSwap(fault);
    expect(await till.redeem(token)).toMatchObject({ amount: 99_000n });
    expect(await till.balance()).toBe(99_000n);
    expect(swaps()).toBe(1);
    expect(hits('POST /v1/restore')).toBeGreaterThan(0);
    expect(alerts()).toEqual(fault.kind === 'signatures' ? ['bad_signatures'] : []);
  });

  test('is credited by the background pass when the client never comes back', async () => {
    mint.fault({ kind: 'drop', path: 'POST /v1/restore' });
    onSwap({ kind: 'drop', when: 'after' });
    await expect(till.redeem(token)).rejects.toMatchObject(pending);
    expect(await till.balance()).toBeUndefined();
    expect((await till.ledger.audit()).undecided).toBe(1);
    mint.clearFaults();
    till.skew.ms += 60_000;
    expect(await till.redeemer.recover(patient)).toMatchObject({ credited: 1, undecided: 0 });
    expect(await till.balance()).toBe(99_000n);
    expect(await till.redeemer.recover(patient)).toEqual({
      credited: 0,
      rejected: 0,
      spentElsewhere: 0,
      undecided: 0,
    });
  });
});

describe('a swap that the mint never saw', () => {
  test.each([
    ['connection reset', { kind: 'drop', when: 'before' }],
    ['answered too late', { kind: 'status', when: 'before', status: 504 }],
    ['a web page', { kind: 'html', when: 'before' }],
  ])('is sent again, the very same: %s', async (_, fault) => {
    onSwap(fault);
    expect(await till.redeem(token)).toMatchObject({ amount: 99_000n });
    expect(swaps()).toBe(2);
    expect((await till.ledger.attemptsOnInputs(await inputYs())).length).toBe(1);
  });

  test('stays in doubt while the mint is away, and is written off by its age alone', async () => {
    mint.fault({ kind: 'drop', when: 'before', path: '*' });
    await expect(till.redeem(token)).rejects.toMatchObject(pending);
    mint.clearFaults();
    till.skew.ms += 10_000;
    expect(await till.redeemer.recover(patient)).toMatchObject({ rejected: 0, undecided: 1 });
    till.skew.ms += 30_000;
    expect(await till.redeemer.recover(patient)).toMatchObject({ rejected: 1, undecided: 0 });
    expect(await till.redeem(token)).toMatchObject({ amount: 99_000n });
  });

  test('because nobody listens leaves the token with its owner', async () => {
    await mint.close();
    await expect(till.redeem(token)).rejects.toMatchObject({
      code: 'cashu_mint_unreachable',
      spendable: true,
    });
    expect((await till.ledger.audit()).undecided).toBe(0);
    mint = await startMint();
  });

  test('because the mint wants to be left alone is tried when it said, not before', async () => {
    onSwap({ kind: 'status', when: 'before', status: 429, retryAfter: 7 });
    const limited = { code: 'cashu_mint_rate_limited', spendable: false, retryAfter: 7 };
    await expect(till.redeem(token)).rejects.toMatchObject(limited);
    const { hits } = mint.stats();
    await expect(till.redeem(token)).rejects.toMatchObject({
      code: 'cashu_redemption_pending',
      retryAfter: 7,
    });
    expect(mint.stats().hits).toEqual(hits);
    till.skew.ms += 8_000;
    expect(await till.redeem(token)).toMatchObject({ amount: 99_000n });
  });
});

describe('a swap that the mint refuses', () => {
  test('for good leaves the token with its owner', async () => {
    mint.fault({ kind: 'status', when: 'before', status: 400, code: 10001, path: 'POST /v1/swap' });
    const refused = { code: 'cashu_token_redemption_failed', spendable: true };
    await expect(till.redeem(token)).rejects.toMatchObject(refused);
    mint.clearFaults();
    expect(await till.redeem(token, 'b')).toMatchObject({ amount: 99_000n });
  });

  test('because its keyset was replaced is made again with the new one', async () => {
    const incoming = await till.redeemer.inspect(token, patient);
    await till.redeemer.warm(patient);
    mint.rotate({ unit: 'sat', inputFeePpk: 400 });
    const target = { role: 'create', account: newAccount('a') } as const;
    const credited = await till.redeemer.redeem(incoming, target, { known: false }, patient);
    mint.rotate({ unit: 'sat', inputFeePpk: 100 });
    expect(credited.amount).toBe(99_000n);
    expect(swaps()).toBe(2);
  });

  test('because somebody else spent the token is not credited', async () => {
    await spendElsewhere();
    const spent = { code: 'cashu_token_already_spent', spendable: false };
    await expect(till.redeem(token)).rejects.toMatchObject(spent);
    await expect(till.redeem(token)).rejects.toMatchObject(spent);
    expect(await till.balance()).toBeUndefined();
    expect(hits('POST /v1/restore')).toBe(3);
  });

  test('because a part of it is spent is not credited, and the rest stays with its owner', async () => {
    const wallet = new Wallet(mint.url, { unit: 'sat' });
    await wallet.loadMint();
    const { proofs } = getDecodedToken(token, wallet.keyChain.getAllKeysetIds());
    await wallet.receive({ mint: mint.url, unit: 'sat', proofs: proofs.slice(0, 1) });
    await expect(till.redeem(token)).rejects.toMatchObject({ code: 'cashu_token_already_spent' });
    expect((await till.ledger.audit()).undecided).toBe(0);
  });
});

describe('a swap that hangs at the mint', () => {
  test('is credited when it turns out to be done', async () => {
    onSwap({ kind: 'pending', ms: 1_500, outcome: 'done' });
    await expect(till.redeem(token)).rejects.toMatchObject(pending);
    await expect
      .poll(() => till.redeem(token).catch(() => null), { timeout: 5_000, interval: 300 })
      .toMatchObject({
        amount: 99_000n,
      });
  });

  test('is made again when it turns out to have failed', async () => {
    onSwap({ kind: 'pending', ms: 1_500, outcome: 'failed' });
    await expect(till.redeem(token)).rejects.toMatchObject(pending);
    await expect
      .poll(() => till.redeem(token).catch(() => null), { timeout: 5_000, interval: 300 })
      .toMatchObject({
        amount: 99_000n,
      });
    expect(swaps()).toBe(2);
  });
});

describe('a mint that contradicts itself', () => {
  test('by restoring half of the signatures is asked again, and nothing is decided', async () => {
    mint.fault({ kind: 'restore', finds: 'half', path: 'POST /v1/restore', times: 1 });
    onSwap({ kind: 'drop', when: 'after' });
    await expect(till.redeem(token)).rejects.toMatchObject(pending);
    expect(alerts()).toEqual(['mint_contradicts_itself']);
    expect(await till.redeem(token)).toMatchObject({ amount: 99_000n });
  });

  test('by never showing a signature that holds is not credited', async () => {
    mint.fault({ kind: 'signatures', defect: 'wrong_dleq', path: 'POST /v1/restore' });
    onSwap({ kind: 'signatures', defect: 'wrong_dleq' });
    await expect(till.redeem(token)).rejects.toMatchObject(pending);
    expect(alerts()).toEqual(['bad_signatures', 'mint_contradicts_itself']);
    expect(await till.balance()).toBeUndefined();
  });

  test('by committing late is looked at twice', async () => {
    mint.fault({ kind: 'restore', finds: 'nothing', path: 'POST /v1/restore', times: 1 });
    onSwap({ kind: 'drop', when: 'after' });
    expect(await till.redeem(token)).toMatchObject({ amount: 99_000n });
  });

  test('by finding the signatures long after is believed', async () => {
    mint.fault({ kind: 'restore', finds: 'nothing', path: 'POST /v1/restore' });
    onSwap({ kind: 'drop', when: 'after' });
    await expect(till.redeem(token)).rejects.toMatchObject({ code: 'cashu_token_already_spent' });
    mint.clearFaults();
    expect(await till.redeem(token)).toMatchObject({ amount: 99_000n });
  });
});

test.each([
  ['all', 100],
  ['some', 65],
])('outputs, %s of which were used before, are never credited: new ones are taken', async (_, amount) => {
  await till[Symbol.asyncDispose]();
  const viewKey = randomBytes(32).toString('hex');
  const forgotten = await open({ viewKey });
  await forgotten.redeem(await mintToken(mint.url, amount));
  await forgotten[Symbol.asyncDispose]();
  till = await open({ viewKey });
  expect(till.session.number).toBe(forgotten.session.number);
  expect(await till.redeem(token)).toMatchObject({ amount: 99_000n });
  expect(alerts()).toEqual(['outputs_reused']);
});

test('a swap thought dead that came through after all is found by the next try', async () => {
  mint.fault({ kind: 'drop', when: 'before', path: '*' });
  await expect(till.redeem(token)).rejects.toMatchObject(pending);
  mint.clearFaults();
  const [attempt] = await till.ledger.attemptsOnInputs(await inputYs());
  await till.ledger.rejectAttempt(attempt!.id);
  await sendLate(attempt!.outputs);
  till.skew.ms += 60_000;
  expect(await till.redeem(token)).toMatchObject({ amount: 99_000n });
  expect(await till.balance()).toBe(99_000n);
});

test('a swap thought dead that paid another account says so', async () => {
  mint.fault({ kind: 'drop', when: 'before', path: '*' });
  await expect(till.redeem(token)).rejects.toMatchObject(pending);
  mint.clearFaults();
  const [attempt] = await till.ledger.attemptsOnInputs(await inputYs());
  await till.ledger.rejectAttempt(attempt!.id);
  await sendLate(attempt!.outputs);
  till.skew.ms += 60_000;
  await expect(till.redeem(token, 'b')).rejects.toMatchObject({
    code: 'cashu_token_consumed',
    spendable: false,
  });
  expect(await till.balance('a')).toBe(99_000n);
  expect(await till.balance('b')).toBeUndefined();
});

/** The request that everyone thought lost arrives. */
async function sendLate(outputs: string): Promise<void> {
  const wallet = new Wallet(mint.url, { unit: 'sat' });
  await wallet.loadMint();
  const { proofs } = getDecodedToken(token, wallet.keyChain.getAllKeysetIds());
  const { outputs: entries } = JSON.parse(outputs) as { outputs: string[][] };
  const body = {
    inputs: proofs.map(({ id, amount, secret, C }) => ({ id, amount: Number(amount), secret, C })),
    outputs: entries.map(([amount, id, , , b]) => ({ amount: Number(amount), id, B_: b })),
  };
  const answer = await fetch(`${mint.url}/v1/swap`, { method: 'POST', body: JSON.stringify(body) });
  expect(answer.status).toBe(200);
}

describe('a process that dies', () => {
  test('in a swap leaves what the next one finds', async () => {
    mint.fault({ kind: 'drop', path: 'POST /v1/restore' });
    onSwap({ kind: 'drop', when: 'after' });
    await expect(till.redeem(token)).rejects.toMatchObject(pending);
    till = await till.restart({ reaped: false });
    mint.clearFaults();
    expect(await till.redeemer.recover(patient)).toMatchObject({ undecided: 1 });
    till.skew.ms += 10_000;
    expect(await till.redeemer.recover(patient)).toMatchObject({ credited: 1 });
    expect(await till.balance()).toBe(99_000n);
  });

  test('is not overruled while it may still be alive', async () => {
    mint.fault({ kind: 'drop', when: 'before', path: '*' });
    await expect(till.redeem(token)).rejects.toMatchObject(pending);
    till = await till.restart({ reaped: false });
    mint.clearFaults();
    till.skew.ms += 3_600_000;
    expect(await till.redeemer.recover(patient)).toMatchObject({ rejected: 0, undecided: 1 });
    const [attempt] = await till.ledger.attemptsOnInputs(await inputYs());
    await till.ledger.reap(attempt!.session, 0n);
    expect(await till.redeemer.recover(patient)).toMatchObject({ rejected: 1 });
  });
});
