import {
  Amount,
  blindMessage,
  createRandomSecretKey,
  getPubKeyFromPrivKey,
  hasValidDleq,
  OutputData,
  P2PKBuilder,
  type Proof,
  signMintQuote,
  sumProofs,
  Wallet,
} from '@cashu/cashu-ts';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decodeInvoice, encodeInvoice } from './bolt11.ts';
import { type MintOptions, type RunningMint, startMint } from './start-mint.ts';

let mint: RunningMint;
const opened: RunningMint[] = [];
const brokenBy: unknown[] = [];

async function open(options: MintOptions = {}): Promise<RunningMint> {
  const running = await startMint({ broken: (error) => brokenBy.push(error), ...options });
  opened.push(running);
  return running;
}

async function wallet(at = mint, options: ConstructorParameters<typeof Wallet>[1] = {}): Promise<Wallet> {
  const loaded = new Wallet(at.url, { unit: 'sat', ...options });
  await loaded.loadMint();
  return loaded;
}

async function fund(payer: Wallet, amount: number): Promise<Proof[]> {
  return payer.mintProofsBolt11(amount, await payer.createMintQuoteBolt11(amount));
}

function invoice(amountMsat: bigint): string {
  return encodeInvoice({
    amountMsat,
    paymentHash: new Uint8Array(32).fill(1),
    paymentSecret: new Uint8Array(32).fill(2),
    description: 'coffee ☕',
    createdAt: Math.floor(Date.now() / 1000),
    expiry: 600,
    nodeKey: createRandomSecretKey(),
  });
}

async function post(
  path: string,
  body: unknown,
): Promise<{ status: number; json: { code: number; detail: string } }> {
  const response = await fetch(mint.url + path, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, json: (await response.json()) as { code: number; detail: string } };
}

function wire(proofs: readonly Proof[]) {
  return proofs.map(({ amount, id, secret, C }) => ({ amount: amount.toNumber(), id, secret, C }));
}

beforeEach(async () => {
  mint = await open();
});

afterEach(async () => {
  // At the mint nothing appears and nothing vanishes, whatever a test did.
  for (const running of opened) {
    for (const books of Object.values(running.stats().units)) expect(books.difference).toBe(0);
    await running.close();
  }
  opened.length = 0;
  expect(brokenBy.splice(0)).toEqual([]);
});

describe('a wallet of others', () => {
  test('mints, sends and receives, and every fee is in the books', async () => {
    const payer = await wallet();
    const proofs = await fund(payer, 1000);
    const keyset = payer.keyChain.getKeyset(proofs[0]!.id);
    expect(proofs.every((proof) => hasValidDleq(proof, keyset))).toBe(true);
    const { send, keep } = await payer.send(100, proofs, { includeFees: true });
    const received = await (await wallet()).receive({ mint: mint.url, proofs: send, unit: 'sat' });
    expect(sumProofs(received).toNumber()).toBe(100);
    const books = mint.stats().units.sat!;
    expect(books.paidIn).toBe(1000);
    expect(books.outstanding).toBe(sumProofs([...received, ...keep]).toNumber());
    expect(books.fees).toBe(1000 - books.outstanding);
    expect(books.fees).toBeGreaterThan(0);
    expect(mint.hits('POST /v1/swap')).toBe(2);
  });

  test('can be of another unit, beside sat', async () => {
    const both = await open({ units: ['sat', 'msat'], inputFeePpk: 0 });
    const msat = await wallet(both, { unit: 'msat' });
    const proofs = await fund(msat, 1234);
    expect(sumProofs(await msat.receive({ mint: both.url, proofs, unit: 'msat' })).toNumber()).toBe(1234);
    expect(both.stats().units).toMatchObject({ msat: { outstanding: 1234 }, sat: { outstanding: 0 } });
  });

  test('finds its money again by its seed (NUT-09)', async () => {
    const bip39seed = new Uint8Array(64).fill(7);
    const payer = await wallet(mint, { bip39seed });
    const minted = await payer.ops
      .mintBolt11(77, await payer.createMintQuoteBolt11(77))
      .asDeterministic(1)
      .run();
    const { proofs } = await (await wallet(mint, { bip39seed })).restore(0, 20);
    expect(proofs.map((proof) => proof.secret).sort()).toEqual(minted.map((proof) => proof.secret).sort());
  });

  test('pays an invoice and gets the unused reserve back (NUT-08)', async () => {
    const payer = await wallet();
    const proofs = await fund(payer, 2000);
    const quote = await payer.createMeltQuoteBolt11(invoice(1_000_000n));
    expect(quote).toMatchObject({ amount: Amount.from(1000), fee_reserve: Amount.from(10), state: 'UNPAID' });
    const { quote: paid, change } = await payer.meltProofsBolt11(quote, proofs);
    expect(paid.state).toBe('PAID');
    const books = mint.stats().units.sat!;
    expect(books).toMatchObject({ paidOut: 1005, outstanding: sumProofs(change).toNumber(), fees: 1 });
    expect(books.outstanding).toBe(2000 - 1005 - 1);
    expect(await payer.checkMeltQuoteBolt11(quote)).toMatchObject({ state: 'PAID' });
    await expect(payer.meltProofsBolt11(quote, await fund(payer, 1100))).rejects.toMatchObject({
      code: 20006,
    });
  });

  test('leaves its change to the mint when it brings no blanks for it', async () => {
    const payer = await wallet();
    const inputs = wire(await fund(payer, 2000));
    const { quote } = await payer.createMeltQuoteBolt11(invoice(1_000_000n));
    const { json } = await post('/v1/melt/bolt11', { quote, inputs });
    expect(json).toMatchObject({ state: 'PAID', payment_preimage: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(json).not.toHaveProperty('change');
    expect(mint.stats().units.sat).toMatchObject({ paidOut: 1005, fees: 995, outstanding: 0 });
  });

  test('claims a quote that is locked to it, and nobody else does (NUT-20)', async () => {
    const payer = await wallet();
    const secret = Buffer.from(createRandomSecretKey());
    const pubkey = Buffer.from(getPubKeyFromPrivKey(secret)).toString('hex');
    const quote = await payer.createLockedMintQuote(64, pubkey);
    const { pubkey: _, ...unlocked } = quote;
    await expect(payer.mintProofsBolt11(64, unlocked)).rejects.toMatchObject({ code: 20008 });
    const proofs = await payer.mintProofsBolt11(64, quote, { privkey: secret.toString('hex') });
    expect(sumProofs(proofs).toNumber()).toBe(64);
    expect(mint.hits('POST /v1/mint/bolt11')).toBe(2);
    const older = await payer.createLockedMintQuote(8, pubkey);
    const { blindedMessage } = OutputData.createSingleRandomData(8, payer.keyChain.getKeyset().id);
    const signature = signMintQuote(secret.toString('hex'), older.quote, [blindedMessage]);
    const outputs = [{ ...blindedMessage, amount: 8 }];
    expect((await post('/v1/mint/bolt11', { quote: older.quote, outputs, signature })).status).toBe(200);
  });
});

describe('locked proofs (NUT-11)', () => {
  const secret = Buffer.from(createRandomSecretKey());
  const pubkey = Buffer.from(getPubKeyFromPrivKey(secret)).toString('hex');
  const lock = new P2PKBuilder().addLockPubkey(pubkey);

  test.each([
    ['every input signs for itself', lock.toOptions()],
    ['one signature for all (SIG_ALL)', new P2PKBuilder().addLockPubkey(pubkey).sigAll().toOptions()],
  ])('are spent by their key only: %s', async (_, options) => {
    const payer = await wallet();
    const { send } = await payer.ops
      .send(96, await fund(payer, 200))
      .asP2PK(options)
      .includeFees(true)
      .run();
    await expect(payer.receive(send)).rejects.toMatchObject({ code: 10001 });
    const stranger = Buffer.from(createRandomSecretKey()).toString('hex');
    await expect(payer.receive(send, { privkey: stranger })).rejects.toThrow();
    const received = await payer.receive(send, { privkey: secret.toString('hex') });
    expect(sumProofs(received).toNumber()).toBe(96);
  });

  test('are checked when melted too', async () => {
    const payer = await wallet();
    const { send } = await payer.ops
      .send(1100, await fund(payer, 1200))
      .asP2PK(lock.toOptions())
      .run();
    const quote = await payer.createMeltQuoteBolt11(invoice(1_000_000n));
    await expect(payer.meltProofsBolt11(quote, send)).rejects.toMatchObject({ code: 10001 });
    const melted = await payer.meltProofsBolt11(quote, send, { privkey: secret.toString('hex') });
    expect(melted.quote.state).toBe('PAID');
  });

  test('with a malformed lock are nobody’s', async () => {
    const payer = await wallet();
    const { id } = payer.keyChain.getKeyset();
    const { B_, r, secret: malformed } = blindMessage(Buffer.from('["P2PK",{"nonce":"1"}]'));
    const data = [new OutputData({ amount: Amount.from(8), id, B_: B_.toHex(true) }, r, malformed)];
    const quote = await payer.createMintQuoteBolt11(8);
    const proofs = await payer.mintProofsBolt11(8, quote, {}, { type: 'custom', data });
    const { blindedMessage } = OutputData.createSingleRandomData(4, id);
    const { json } = await post('/v1/swap', {
      inputs: wire(proofs),
      outputs: [{ ...blindedMessage, amount: 4 }],
    });
    expect(json.detail).toContain('malformed');
    expect(json.code).toBe(10001);
  });
});

describe('what a mint refuses', () => {
  test('a proof spent twice, whoever brings it, also at the same moment', async () => {
    const payer = await wallet();
    const { send } = await payer.send(50, await fund(payer, 100), { includeFees: true });
    const tries = Array.from({ length: 10 }, async () => (await wallet()).receive(send));
    const results = await Promise.allSettled(tries);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const losers = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []));
    expect(losers).toEqual(Array(9).fill(11001));
    const [state] = await payer.checkProofsStates(send);
    expect(state?.state).toBe('SPENT');
  });

  test('a quote claimed twice', async () => {
    const payer = await wallet();
    const quote = await payer.createMintQuoteBolt11(10);
    await payer.mintProofsBolt11(10, quote);
    await expect(payer.mintProofsBolt11(10, quote)).rejects.toMatchObject({ code: 20002 });
  });

  test('swaps that don’t add up, each by its code', async () => {
    const payer = await wallet();
    const proofs = wire(await fund(payer, 64));
    const { id } = payer.keyChain.getKeyset();
    const output = (amount: number, keyset = id) => ({
      ...OutputData.createSingleRandomData(amount, keyset).blindedMessage,
      amount,
    });
    const refused = async (inputs: unknown, outputs: unknown) => {
      const { status, json } = await post('/v1/swap', { inputs, outputs });
      expect(status).toBe(400);
      return json.code;
    };
    const out = output(32);
    expect(await refused(proofs, [output(64)])).toBe(11005);
    expect(await refused([...proofs, ...proofs], [out])).toBe(11007);
    expect(await refused(proofs, [out, out])).toBe(11008);
    expect(await refused(proofs, [output(32, '00ffffffffffffff')])).toBe(12001);
    expect(await refused([{ ...proofs[0], amount: 128 }], [out])).toBe(10001);
    expect(await refused([{ ...proofs[0], secret: 'another' }], [out])).toBe(10001);
    expect(await refused(proofs, [output(3)])).toBe(11006);
    expect(await refused(Array(1001).fill(proofs[0]), [out])).toBe(11014);
  });

  test('an output that was signed before', async () => {
    const payer = await wallet();
    const keyset = payer.keyChain.getKeyset();
    const data = OutputData.createRandomData(16, keyset);
    await payer.mintProofsBolt11(16, await payer.createMintQuoteBolt11(16), {}, { type: 'custom', data });
    const again = payer.mintProofsBolt11(
      16,
      await payer.createMintQuoteBolt11(16),
      {},
      { type: 'custom', data },
    );
    await expect(again).rejects.toMatchObject({ code: 11003 });
  });

  test.each([
    '{',
    'null',
    '[]',
    '{"inputs":[],"outputs":[]}',
    '{"inputs":[{"amount":1e400}],"outputs":[{}]}',
    '{"__proto__":{"inputs":[]},"outputs":[[[[[[[[]]]]]]]]}',
  ])('a body that is no swap: %s', async (body) => {
    const { status, json } = await post('/v1/swap', body);
    expect(status).toBe(400);
    expect(json).toEqual({ detail: expect.any(String), code: 0 });
  });

  test('points that are not on the curve', async () => {
    const payer = await wallet();
    const [proof] = wire(await fund(payer, 2));
    const { id } = payer.keyChain.getKeyset();
    const nowhere = `02${'f'.repeat(64)}`;
    const outputs = [{ amount: 1, id, B_: nowhere }];
    expect((await post('/v1/swap', { inputs: [proof], outputs })).json.code).toBe(0);
    expect((await post('/v1/swap', { inputs: [{ ...proof, C: nowhere }], outputs })).json.code).toBe(10001);
  });

  test('a body of more than 1 MiB, and paths it does not have', async () => {
    expect((await post('/v1/swap', ' '.repeat(2 ** 20 + 1))).status).toBe(413);
    expect((await post('/v1/nothing', {})).status).toBe(404);
    expect((await fetch(`${mint.url}/v1/mint/quote/bolt11/none`)).status).toBe(400);
    expect((await fetch(`${mint.url}/v1/keys/00ffffffffffffff`)).status).toBe(400);
  });

  test('invoices it can’t read, units and keys it doesn’t know', async () => {
    const refused = async (request: string) =>
      (await post('/v1/melt/quote/bolt11', { request, unit: 'sat' })).json.code;
    expect(await refused('lnbc1')).toBe(0);
    expect(await refused(`${invoice(5000n).slice(0, -1)}b`)).toBe(0);
    expect((await post('/v1/mint/quote/bolt11', { amount: 1, unit: 'usd' })).json.code).toBe(11013);
    expect((await post('/v1/mint/quote/bolt11', { amount: 1, unit: 'sat', pubkey: '02' })).json.code).toBe(
      20009,
    );
  });
});

describe('keysets (NUT-02)', () => {
  test('rotate: old proofs are still good, old outputs are not, fees differ', async () => {
    const payer = await wallet();
    const old = await fund(payer, 100);
    const oldId = payer.keyChain.getKeyset().id;
    const { id } = mint.rotate({ unit: 'sat', inputFeePpk: 0 });
    const stale = payer.mintProofsBolt11(10, await payer.createMintQuoteBolt11(10));
    await expect(stale).rejects.toMatchObject({ code: 12002 });
    const fresh = await wallet();
    expect(fresh.keyChain.getKeyset().id).toBe(id);
    await fresh.keyChain.ensureKeysetKeys(oldId);
    const moved = await fresh.receive(old);
    expect(moved.every((proof) => proof.id === id)).toBe(true);
    expect(sumProofs(moved).toNumber()).toBe(99);
    expect(sumProofs(await fresh.receive(moved)).toNumber()).toBe(99);
    const { keysets } = (await (await fetch(`${mint.url}/v1/keysets`)).json()) as { keysets: unknown[] };
    expect(keysets).toMatchObject([
      { id: oldId, active: false, input_fee_ppk: 100 },
      { id, active: true, input_fee_ppk: 0 },
    ]);
  });

  test('stay active together when asked to', async () => {
    mint.rotate({ unit: 'sat', inputFeePpk: 200, keepOld: true });
    const { keysets } = (await (await fetch(`${mint.url}/v1/keys`)).json()) as { keysets: unknown[] };
    expect(keysets).toHaveLength(2);
  });

  test('expire', async () => {
    let now = Date.now();
    const aging = await open({ now: () => now });
    const finalExpiry = Math.floor(now / 1000) + 3600;
    aging.rotate({ unit: 'sat', inputFeePpk: 0, finalExpiry });
    const payer = await wallet(aging);
    const proofs = await fund(payer, 10);
    now = finalExpiry * 1000;
    const keyset = aging.rotate({ unit: 'sat', inputFeePpk: 0 });
    const fresh = await wallet(aging);
    const outputs = OutputData.createRandomData(10, fresh.keyChain.getKeyset(keyset.id));
    const swap = fresh.mint.swap({
      inputs: proofs,
      outputs: outputs.map(({ blindedMessage }) => blindedMessage),
    });
    await expect(swap).rejects.toMatchObject({ code: 12003 });
  });
});

test('invoices are read as they were written', () => {
  for (const amountMsat of [1n, 999n, 1000n, 123_400n, 100_000n, 100_000_000n, 2_500_000_000n]) {
    expect(decodeInvoice(invoice(amountMsat))).toMatchObject({ amountMsat, paymentHash: '01'.repeat(32) });
  }
  // The first example of BOLT 11 that names an amount.
  const coffee =
    'lnbc2500u1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygspp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpu9qrsgquk0rl77nj30yxdy8j9vdx85fkpmdla2087ne0xh8nhedh8w27kyke0lp53ut353s06fv3qfegext0eh0ymjpf39tuven09sam30g4vgpfna3rh';
  expect(decodeInvoice(coffee)).toEqual({
    amountMsat: 250_000_000n,
    paymentHash: '0001020304050607080900010203040506070809000102030405060708090102',
    expiresAt: 1_496_314_658 + 60,
  });
});

test('requests of any shape are answered, and break nothing', async () => {
  const payer = await wallet();
  const proof = wire(await fund(payer, 2))[0]!;
  const output = {
    amount: 1,
    id: proof.id,
    B_: OutputData.createSingleRandomData(1, proof.id).blindedMessage.B_,
  };
  const paths = [
    'swap',
    'mint/quote/bolt11',
    'mint/bolt11',
    'melt/quote/bolt11',
    'melt/bolt11',
    'checkstate',
    'restore',
  ];
  const hex = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 64, maxLength: 64 });
  const amount = fc.oneof(
    fc.integer(),
    fc.double(),
    fc.bigInt().map(Number),
    fc.constantFrom(0, 1, 2, 2 ** 40, 2 ** 63),
  );
  const point = fc.oneof(
    hex.map((x) => `02${x}`),
    fc.constant(output.B_),
    fc.string(),
  );
  const id = fc.oneof(fc.constant(proof.id), fc.string());
  const lock = fc.jsonValue().map((value) => JSON.stringify(['P2PK', value]));
  const secret = fc.oneof(fc.constant(proof.secret), fc.string(), lock);
  const witness = fc.oneof(fc.constant(undefined), fc.string(), fc.jsonValue());
  const body = fc.oneof(
    fc.jsonValue(),
    fc.record(
      {
        inputs: fc.array(
          fc.record({ amount, id, secret, C: fc.oneof(point, fc.constant(proof.C)), witness }),
        ),
        outputs: fc.oneof(fc.array(fc.record({ amount, id, B_: point })), fc.jsonValue()),
        quote: fc.string(),
        amount,
        unit: fc.constantFrom('sat', 'msat', '__proto__'),
        request: fc.oneof(fc.string(), fc.constant(invoice(1000n))),
        pubkey: point,
        Ys: fc.array(point),
      },
      { requiredKeys: [] },
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...paths), body, async (path, json) => {
      const { status } = await post(`/v1/${path}`, json);
      expect([200, 400]).toContain(status);
    }),
    { numRuns: 500 },
  );
});
