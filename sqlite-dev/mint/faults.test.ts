import { OutputData, type Proof, type SwapPreview, sumProofs, Wallet } from '@cashu/cashu-ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeInvoice } from './bolt11.ts';
import { type RunningMint, startMint } from './start-mint.ts';

let mint: RunningMint;
let wallet: Wallet;
let now: number;

beforeEach(async () => {
  now = Date.now();
  mint = await startMint({ now: () => now });
  wallet = new Wallet(mint.url, { unit: 'sat' });
  await wallet.loadMint();
});

afterEach(async () => {
  expect(mint.stats().units.sat?.difference).toBe(0);
  await mint.close();
});

async function fund(amount: number): Promise<Proof[]> {
  return wallet.mintProofsBolt11(amount, await wallet.createMintQuoteBolt11(amount));
}

/** A swap whose outputs were saved before the mint was asked, as a careful wallet does it. */
async function prepare(amount: number): Promise<SwapPreview> {
  return wallet.prepareSwapToReceive({ mint: mint.url, unit: 'sat', proofs: await fund(amount) });
}

async function statesOf(swap: SwapPreview): Promise<string[]> {
  const states = await wallet.checkProofsStates(swap.inputs);
  return [...new Set(states.map(({ state }) => state))];
}

async function restore(swap: SwapPreview) {
  const outputs = (swap.keepOutputs ?? []) as OutputData[];
  return {
    wanted: outputs.length,
    ...(await wallet.mint.restore({ outputs: outputs.map((o) => o.blindedMessage) })),
  };
}

describe('a swap whose answer is lost', () => {
  test('after the commit: spent, and restorable', async () => {
    const swap = await prepare(100);
    mint.fault({ kind: 'drop', path: 'POST /v1/swap', times: 1 });
    await expect(wallet.completeSwap(swap)).rejects.toThrow();
    expect(await statesOf(swap)).toEqual(['SPENT']);
    const { wanted, signatures } = await restore(swap);
    expect(signatures).toHaveLength(wanted);
    await expect(wallet.completeSwap(swap)).rejects.toMatchObject({ code: 11001 });
  });

  test('before the commit: nothing happened', async () => {
    const swap = await prepare(100);
    mint.fault({ kind: 'drop', when: 'before', path: 'POST /v1/swap', times: 1 });
    await expect(wallet.completeSwap(swap)).rejects.toThrow();
    expect(await statesOf(swap)).toEqual(['UNSPENT']);
    expect((await restore(swap)).signatures).toHaveLength(0);
    expect(sumProofs((await wallet.completeSwap(swap)).keep).toNumber()).toBe(99);
  });

  test('at a mint that keeps its answers (NUT-19): the same again', async () => {
    await fetch(`${mint.url}/control`, { method: 'POST', body: '{"cachedFor":60}' });
    const swap = await prepare(100);
    mint.fault({ kind: 'drop', path: 'POST /v1/swap', times: 1 });
    await expect(wallet.completeSwap(swap)).rejects.toThrow();
    expect(sumProofs((await wallet.completeSwap(swap)).keep).toNumber()).toBe(99);
    expect(await (await fetch(`${mint.url}/v1/info`)).json()).toMatchObject({ nuts: { 19: { ttl: 60 } } });
  });
});

describe('a swap that hangs', () => {
  test.each([
    ['done', 'SPENT', 99],
    ['failed', 'UNSPENT', 0],
  ] as const)('is pending, then %s', async (outcome, state, restored) => {
    const swap = await prepare(100);
    mint.fault({ kind: 'pending', ms: 5000, outcome, path: 'POST /v1/swap', times: 1 });
    await expect(wallet.completeSwap(swap)).rejects.toThrow();
    expect(await statesOf(swap)).toEqual(['PENDING']);
    expect((await restore(swap)).signatures).toHaveLength(0);
    await expect(wallet.completeSwap(swap)).rejects.toMatchObject({ code: 11002 });
    now += 5000;
    expect(await statesOf(swap)).toEqual([state]);
    const { signatures } = await restore(swap);
    expect(signatures.reduce((sum, { amount }) => sum + amount.toNumber(), 0)).toBe(restored);
  });
});

describe('a payment', () => {
  const invoice = () =>
    encodeInvoice({
      amountMsat: 500_000n,
      paymentHash: new Uint8Array(32),
      paymentSecret: new Uint8Array(32),
      description: '',
      createdAt: Math.floor(now / 1000),
      expiry: 600,
      nodeKey: new Uint8Array(32).fill(1),
    });

  test('under way keeps its proofs pending, then is paid with change', async () => {
    const proofs = await fund(1000);
    const quote = await wallet.createMeltQuoteBolt11(invoice());
    mint.fault({ kind: 'pending', ms: 60_000, path: 'POST /v1/melt/bolt11', times: 1 });
    const melt = await wallet.prepareMelt('bolt11', quote, proofs);
    expect((await wallet.completeMelt(melt, undefined, { preferAsync: true })).quote.state).toBe('PENDING');
    await expect(wallet.receive(proofs)).rejects.toMatchObject({ code: 11002 });
    await expect(wallet.completeMelt(melt)).rejects.toMatchObject({ code: 20005 });
    now += 60_000;
    const paid = await wallet.checkMeltQuoteBolt11(quote);
    expect(paid.state).toBe('PAID');
    const change = wallet.createMeltChangeProofs(melt.outputData, paid.change ?? []);
    const books = mint.stats().units.sat!;
    expect(sumProofs(change).toNumber()).toBe(books.outstanding);
    expect(books.paidOut).toBe(502);
  });

  test.each([
    [{ kind: 'payment_failed', path: 'POST /v1/melt/bolt11', times: 1 }, 20004],
    [{ kind: 'pending', ms: 1000, outcome: 'failed', path: 'POST /v1/melt/bolt11', times: 1 }, undefined],
  ] as const)('that fails gives the proofs back: %o', async (fault, code) => {
    const proofs = await fund(1000);
    const quote = await wallet.createMeltQuoteBolt11(invoice());
    mint.fault(fault);
    const melt = wallet.meltProofsBolt11(quote, proofs);
    if (code === undefined) expect((await melt).quote.state).toBe('PENDING');
    else await expect(melt).rejects.toMatchObject({ code });
    now += 1000;
    const states = await wallet.checkProofsStates(proofs);
    expect(states.every(({ state }) => state === 'UNSPENT')).toBe(true);
    expect((await wallet.meltProofsBolt11(quote, proofs)).quote.state).toBe('PAID');
  });
});

describe('an answer that is no answer', () => {
  const get = () => fetch(`${mint.url}/v1/info`, { redirect: 'manual' });
  const path = 'GET /v1/info';

  test('429 says when to come back', async () => {
    mint.fault({ kind: 'status', status: 429, retryAfter: 7, path, times: 2 });
    const answers = [await get(), await get(), await get()];
    expect(answers.map(({ status }) => status)).toEqual([429, 429, 200]);
    expect(answers[0]!.headers.get('retry-after')).toBe('7');
  });

  test('5xx after the commit, always, until it is cleared', async () => {
    const swap = await prepare(10);
    mint.fault({ kind: 'status', status: 502, path: 'POST /v1/swap' });
    await expect(wallet.completeSwap(swap)).rejects.toMatchObject({ status: 502 });
    expect(await statesOf(swap)).toEqual(['SPENT']);
    mint.clearFaults();
    await expect(wallet.completeSwap(swap)).rejects.toMatchObject({ code: 11001 });
  });

  test('HTML, a redirect, half of the JSON, far too much of it, byte by byte', async () => {
    mint.fault({ kind: 'html', path, times: 1 });
    expect(await (await get()).text()).toMatch(/^<!doctype html>/);
    mint.fault({ kind: 'redirect', location: 'http://127.0.0.1:1/', path, times: 1 });
    expect((await get()).headers.get('location')).toBe('http://127.0.0.1:1/');
    mint.fault({ kind: 'truncated', path, times: 1 });
    await expect(get().then((answer) => answer.json())).rejects.toThrow(SyntaxError);
    mint.fault({ kind: 'huge', bytes: 3_000_000, path, times: 1 });
    expect((await (await get()).text()).length).toBe(3_000_000);
    mint.fault({ kind: 'drip', ms: 0, path, times: 1 });
    expect(await (await get()).json()).toMatchObject({ name: 'Development mint' });
  });

  test('a delay ends when the mint does', async () => {
    mint.fault({ kind: 'delay', ms: 3_600_000, path, times: 1 });
    const waiting = get();
    waiting.catch(() => {});
    await fetch(`${mint.url}/control/stats`);
    await mint.close();
    await expect(waiting).rejects.toThrow();
    mint = await startMint();
  });
});

describe('signatures that are not what was asked for', () => {
  const swapWith = async (defect: 'wrong_dleq' | 'no_dleq' | 'wrong_amount' | 'wrong_keyset' | 'missing') => {
    const proofs = await fund(100);
    const outputs = OutputData.createRandomData(99, wallet.keyChain.getKeyset());
    mint.fault({ kind: 'signatures', defect, path: 'POST /v1/swap', times: 1 });
    const messages = outputs.map(({ blindedMessage }) => blindedMessage);
    const { signatures } = await wallet.mint.swap({ inputs: proofs, outputs: messages });
    return { outputs, signatures };
  };

  test('wrong and missing DLEQ (NUT-12)', async () => {
    const keyset = wallet.keyChain.getKeyset();
    const wrong = await swapWith('wrong_dleq');
    expect(() => wrong.outputs[0]!.toProof(wrong.signatures[0]!, keyset)).toThrow(/DLEQ/i);
    expect((await swapWith('no_dleq')).signatures.some(({ dleq }) => dleq)).toBe(false);
  });

  test('wrong amounts, an unknown keyset, one signature too few', async () => {
    const { id } = wallet.keyChain.getKeyset();
    const wrong = await swapWith('wrong_amount');
    const sum = wrong.signatures.reduce((total, { amount }) => total + amount.toNumber(), 0);
    expect(sum).toBe(198);
    expect((await swapWith('wrong_keyset')).signatures.some((signature) => signature.id === id)).toBe(false);
    const missing = await swapWith('missing');
    expect(missing.signatures).toHaveLength(missing.outputs.length - 1);
  });

  test('a restore that finds nothing, or half', async () => {
    const swap = await prepare(100);
    await wallet.completeSwap(swap);
    mint.fault({ kind: 'restore', finds: 'nothing', path: 'POST /v1/restore', times: 1 });
    expect((await restore(swap)).signatures).toHaveLength(0);
    mint.fault({ kind: 'restore', finds: 'half', path: 'POST /v1/restore', times: 1 });
    const { wanted, outputs, signatures } = await restore(swap);
    expect(signatures).toHaveLength(Math.ceil(wanted / 2));
    expect(outputs).toHaveLength(signatures.length);
    expect((await restore(swap)).signatures).toHaveLength(wanted);
  });
});

describe('over HTTP', () => {
  const control = (body: unknown) =>
    fetch(`${mint.url}/control`, { method: 'POST', body: JSON.stringify(body) });

  test('faults are switched, keysets rotated, and the books read', async () => {
    await control({ fault: { kind: 'status', status: 503, path: '*', times: 1 } });
    expect((await fetch(`${mint.url}/v1/keysets`)).status).toBe(503);
    await control({ fault: { kind: 'drop', path: '*' } });
    await control({ clear: true });
    const { keyset } = (await (await control({ rotate: { unit: 'sat', inputFeePpk: 5 } })).json()) as {
      keyset: string;
    };
    expect(await (await fetch(`${mint.url}/v1/keysets`)).json()).toMatchObject({
      keysets: [{ active: false }, { id: keyset }],
    });
    const stats = await (await fetch(`${mint.url}/control/stats`)).json();
    expect(stats).toMatchObject({
      hits: { 'GET /v1/keysets': 3 },
      units: { sat: { outstanding: 0, difference: 0 } },
    });
  });

  test.each([{ faul: {} }, { fault: { kind: 'nonsense', path: '*' } }, { rotate: {} }])(
    'a command it does not know changes nothing: %o',
    async (body) => {
      expect((await control(body)).status).toBe(400);
    },
  );
});
