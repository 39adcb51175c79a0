import { createServer } from 'node:http';
import { inspect } from 'node:util';
import { getDecodedToken, getEncodedToken, hashToCurve, OutputData, Wallet } from '@cashu/cashu-ts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Ledger } from '../ledger/index.ts';
import { type RunningMint, startMint } from '../sqlite-dev/mint/start-mint.ts';
import { mintToken } from '../sqlite-dev/mint-token.ts';
import { newAccount, openTill, patient, type Till, walletKey } from '../tests/mints/till.ts';
import { publicKeyOf } from './keys.ts';
import { deriveOutputSecret, deserializeOutputs } from './outputs.ts';
import type { RedemptionStore, RedemptionTarget } from './redemption-store.ts';

let mint: RunningMint;
let till: Till;
let before: number;

beforeAll(async () => {
  mint = await startMint({ units: ['sat', 'msat'] });
});

afterAll(() => mint.close());

beforeEach(async () => {
  till = await openTill({ mints: [{ url: mint.url }] });
  before = swapsSoFar();
});

afterEach(async () => {
  expect((await till.ledger.audit()).violations).toEqual([]);
  mint.clearFaults();
  await till[Symbol.asyncDispose]();
});

const swapsSoFar = () => mint.hits('POST /v1/swap');
const swaps = () => swapsSoFar() - before;

async function redeemAs(token: string, target: RedemptionTarget) {
  return await till.redeemer.redeem(
    await till.redeemer.inspect(token, patient),
    target,
    { known: false },
    patient,
  );
}

/** The same proofs in another string. */
async function recode(token: string): Promise<string> {
  const { keysets } = (await (await fetch(`${mint.url}/v1/keysets`)).json()) as { keysets: { id: string }[] };
  const decoded = getDecodedToken(
    token,
    keysets.map(({ id }) => id),
  );
  return getEncodedToken({ ...decoded, memo: 'again' });
}

test('a ledger is a redemption store', () => {
  const asStore = (ledger: Ledger): RedemptionStore => ledger;
  expect(asStore(till.ledger)).toBe(till.ledger);
});

describe('a token', () => {
  test('becomes balance, less the mint’s fee', async () => {
    const token = await mintToken(mint.url, 100);
    const incoming = await till.redeemer.inspect(`cashu:${token}`, patient);
    expect(incoming).toMatchObject({
      token,
      mint: mint.url,
      unit: 'sat',
      gross: 100_000n,
      fee: 1_000n,
      worth: 99_000n,
    });
    expect(incoming.refundMinimum).toBe(2_000n);
    const credited = await till.redeem(token);
    expect(credited).toEqual({
      account: newAccount('a').keyHash,
      amount: 99_000n,
      redemption: incoming.hash,
    });
    expect(await till.balance()).toBe(99_000n);
  });

  test('of unit msat is credited to the msat', async () => {
    const wallet = new Wallet(mint.url, { unit: 'msat' });
    await wallet.loadMint();
    const proofs = await wallet.mintProofsBolt11(1_000, await wallet.createMintQuoteBolt11(1_000));
    const token = getEncodedToken({ mint: mint.url, proofs, unit: 'msat' });
    expect(await till.redeem(token)).toMatchObject({ amount: 999n });
  });

  test('in the old form of version 3 is taken as well', async () => {
    const { proofs } = getDecodedToken(await mintToken(mint.url, 64), [await sats()]);
    const json = JSON.stringify({ token: [{ mint: `${mint.url}/`, proofs }], unit: 'sat' });
    expect(await till.redeem(`cashuA${Buffer.from(json).toString('base64url')}`)).toMatchObject({
      amount: 63_000n,
    });
  });

  test('is credited once, however often it comes, and the mint is not asked again', async () => {
    const token = await mintToken(mint.url, 100);
    const first = await till.redeem(token);
    const { hits } = mint.stats();
    expect(await till.redeem(token)).toEqual(first);
    expect(mint.stats().hits).toEqual(hits);
    expect(await till.balance()).toBe(99_000n);
  });

  test('from twenty connections at once is swapped once, and all twenty get the account', async () => {
    const token = await mintToken(mint.url, 100);
    mint.fault({ kind: 'delay', when: 'before', path: 'POST /v1/swap', ms: 200, times: 1 });
    const answers = await Promise.all(Array.from({ length: 20 }, () => till.redeem(token)));
    expect(new Set(answers.map(({ account }) => account))).toEqual(new Set([newAccount('a').keyHash]));
    expect(swaps()).toBe(1);
    expect(await till.balance()).toBe(99_000n);
  });

  test('whose client hangs up is credited all the same', async () => {
    const token = await mintToken(mint.url, 100);
    const incoming = await till.redeemer.inspect(token, patient);
    mint.fault({ kind: 'delay', path: 'POST /v1/swap', ms: 200, times: 1 });
    const client = new AbortController();
    const target = { role: 'create', account: newAccount('a') } as const;
    const waiting = till.redeemer.redeem(incoming, target, { known: false }, client.signal);
    client.abort();
    await expect(waiting).rejects.toThrow('aborted');
    expect(await till.redeem(token)).toMatchObject({ amount: 99_000n });
    expect(swaps()).toBe(1);
  });

  test('used in one role is spent for every other', async () => {
    const token = await mintToken(mint.url, 100);
    await till.redeem(token);
    const spent = { code: 'cashu_token_already_spent', spendable: false };
    await expect(till.redeem(token, 'b')).rejects.toMatchObject(spent);
    await expect(redeemAs(token, { role: 'topup', account: newAccount('a').keyHash })).rejects.toMatchObject(
      spent,
    );
    const once = { role: 'request', account: newAccount('a'), refundPubkey: `02${'11'.repeat(32)}` } as const;
    await expect(redeemAs(token, once)).rejects.toMatchObject(spent);
  });

  test('tops up an account', async () => {
    await till.redeem(await mintToken(mint.url, 100));
    const topup = { role: 'topup', account: newAccount('a').keyHash } as const;
    expect(await redeemAs(await mintToken(mint.url, 50), topup)).toMatchObject({ amount: 49_000n });
    expect(await till.balance()).toBe(148_000n);
    const nobody = redeemAs(await mintToken(mint.url, 50), { role: 'topup', account: 'f'.repeat(64) });
    await expect(nobody).rejects.toMatchObject({
      code: 'cashu_account_refused',
      reason: 'unknown',
      spendable: true,
    });
  });

  test('whose proofs came in with another token is spent', async () => {
    const token = await mintToken(mint.url, 100);
    await till.redeem(token);
    await expect(till.redeem(await recode(token), 'b')).rejects.toMatchObject({
      code: 'cashu_token_already_spent',
    });
    expect(swaps()).toBe(1);
  });

  test('racing with the same proofs in another token is credited for one of them', async () => {
    const token = await mintToken(mint.url, 100);
    const ends = await Promise.allSettled([till.redeem(token), till.redeem(await recode(token), 'b')]);
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(((await till.balance('a')) ?? 0n) + ((await till.balance('b')) ?? 0n)).toBe(99_000n);
  });

  test('beyond the exposure to its mint stays with its owner', async () => {
    await till[Symbol.asyncDispose]();
    till = await openTill({ mints: [{ url: mint.url }], maxExposure: 150_000n });
    await till.redeem(await mintToken(mint.url, 100));
    const more = await mintToken(mint.url, 100);
    await expect(till.redeem(more, 'b')).rejects.toMatchObject({
      code: 'cashu_exposure_exceeded',
      spendable: true,
    });
    expect(swaps()).toBe(1);
  });

  test('does not show when it is logged', async () => {
    const incoming = await till.redeemer.inspect(await mintToken(mint.url, 100), patient);
    const logged = [inspect(incoming, { depth: 9, showHidden: true }), JSON.stringify(incoming, withBigints)];
    for (const text of logged) {
      expect(text).not.toContain(incoming.token.slice(0, 40));
      expect(text).not.toContain(incoming.proofs[0]!.secret);
    }
  });
});

describe('what comes in', () => {
  test('only the wallet’s key can spend, and the view key can find again', async () => {
    const token = await mintToken(mint.url, 100);
    await till.redeem(token);
    const outputs = await outputsOf(token);
    const derived = outputs.map((_, n) =>
      deriveOutputSecret(Buffer.from(till.viewKey, 'hex'), till.session.number, BigInt(n)),
    );
    const data = publicKeyOf(Buffer.from(walletKey, 'hex'));
    expect(outputs.map(({ secret }) => secret)).toEqual(
      derived.map(({ nonce }) => `["P2PK",{"nonce":"${nonce}","data":"${data}","tags":[]}]`),
    );

    const wallet = new Wallet(mint.url, { unit: 'sat' });
    await wallet.loadMint();
    const found = outputs.map(({ amount, keyset, b, r, secret }) =>
      OutputData.deserialize({
        blindedMessage: { amount: amount.toString(), id: keyset, B_: b },
        blindingFactor: BigInt(`0x${r}`).toString(),
        secret: Buffer.from(secret).toString('hex'),
      }),
    );
    const { signatures } = await wallet.mint.restore({
      outputs: found.map((output) => output.blindedMessage),
    });
    const proofs = found.map((output, n) =>
      output.toProof(signatures[n]!, wallet.getKeyset(outputs[n]!.keyset)),
    );
    await expect(wallet.receive({ mint: mint.url, proofs, unit: 'sat' })).rejects.toThrow();
    const spent = await wallet.receive({ mint: mint.url, proofs, unit: 'sat' }, { privkey: walletKey });
    expect(spent.length).toBeGreaterThan(0);
  });

  async function outputsOf(token: string) {
    const { proofs } = getDecodedToken(token, [await sats()]);
    const ys = proofs.map(({ secret }) => hashToCurve(Buffer.from(secret)).toHex(true));
    const [attempt] = await till.ledger.attemptsOnInputs(ys);
    return deserializeOutputs(attempt!.outputs);
  }
});

describe('mints', () => {
  test('that are not listed are never asked anything', async () => {
    let asked = 0;
    const foreign = createServer((_, response) => response.end(String(asked++))).listen(0, '127.0.0.1');
    await new Promise((resolve) => foreign.once('listening', resolve));
    const url = `http://127.0.0.1:${(foreign.address() as { port: number }).port}`;
    const { proofs } = getDecodedToken(await mintToken(mint.url, 64), [await sats()]);
    const token = getEncodedToken({ mint: url, proofs, unit: 'sat' });
    const refused = { code: 'cashu_untrusted_source_mint', spendable: true };
    await expect(till.redeem(token)).rejects.toMatchObject(refused);
    expect(asked).toBe(0);

    till.redeemer.setMints([{ url }]);
    await expect(till.redeem(await mintToken(mint.url, 64))).rejects.toMatchObject(refused);
    await expect(till.redeem(token)).rejects.toMatchObject({
      code: 'cashu_mint_unreachable',
      spendable: true,
    });
    expect(asked).toBeGreaterThan(0);
    foreign.close();
  });

  test('whose unit is not taken are refused', async () => {
    till.redeemer.setMints([{ url: mint.url, units: ['msat'] }]);
    await expect(till.redeem(await mintToken(mint.url, 64))).rejects.toMatchObject({
      code: 'cashu_untrusted_source_mint',
    });
  });

  test('tell how they are', async () => {
    expect(till.redeemer.mintStatus()).toMatchObject([{ url: mint.url, usable: false, describedAt: null }]);
    await till.redeemer.warm(patient);
    expect(till.redeemer.mintStatus()).toMatchObject([{ url: mint.url, usable: true, missingNuts: [] }]);
    const asked = mint.stats().hits;
    await till.redeemer.inspect(await mintToken(mint.url, 64), patient);
    expect(mint.hits('GET /v1/keys/{id}')).toBe(asked['GET /v1/keys/{id}']);
  });

  test('are asked so often and no more, and known customers last longest', async () => {
    await till.redeem(await mintToken(mint.url, 100));
    await till[Symbol.asyncDispose]();
    const noon = Date.now();
    till = await openTill({ mints: [{ url: mint.url }], clock: { now: () => noon } });
    const token = await till.redeemer.inspect(await mintToken(mint.url, 64), patient);
    mint.fault({ kind: 'status', status: 400, when: 'before', path: 'POST /v1/swap', code: 11000 });
    const target = { role: 'create', account: newAccount('b') } as const;
    const attempt = (known: boolean) =>
      till.redeemer.redeem(token, target, { known }, patient).catch(({ code }) => code);
    const ends = [];
    for (let n = 0; n < 41; n++) ends.push(await attempt(false));
    expect(ends).toEqual([...Array(40).fill('cashu_token_redemption_failed'), 'cashu_mint_rate_limited']);
    expect(await attempt(true)).toBe('cashu_token_redemption_failed');
  });
});

async function sats(): Promise<string> {
  const { keysets } = (await (await fetch(`${mint.url}/v1/keysets`)).json()) as {
    keysets: { id: string; unit: string }[];
  };
  return keysets.find(({ unit }) => unit === 'sat')!.id;
}

function withBigints(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
