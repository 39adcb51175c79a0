import { getDecodedToken, Wallet } from '@cashu/cashu-ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mintToken } from '../../sqlite-dev/mint-token.ts';
import { type CuttingProxy, startCuttingProxy } from './cutting-proxy.ts';
import { openTill, patient, type Till } from './till.ts';

const urls = (process.env.CASHU_MINT_URLS ?? '').split(',').filter((url) => url !== '');

if (urls.length === 0)
  test.skip('CASHU_MINT_URLS is empty: no real mint to ask (http://host:port, comma-separated)');

describe.each(urls)('at the mint %s', (url) => {
  let line: CuttingProxy;
  let till: Till;
  let token: string;
  let worth: bigint;

  beforeEach(async () => {
    line = await startCuttingProxy(url);
    till = await openTill({ mints: [{ url: line.url }] });
    token = await mintToken(line.url, 100);
    ({ worth } = await till.redeemer.inspect(token, patient));
    await till.redeemer.warm(patient);
  });

  afterEach(async () => {
    const audit = await till.ledger.audit();
    expect(audit.violations).toEqual([]);
    expect(audit.undecided).toBe(0);
    await till[Symbol.asyncDispose]();
    await line[Symbol.asyncDispose]();
  });

  const swaps = () => line.seen('POST /v1/swap');

  test('a token becomes balance, less the fee of its keyset', async () => {
    const wallet = new Wallet(line.url, { unit: 'sat' });
    await wallet.loadMint();
    const { proofs } = getDecodedToken(token, wallet.keyChain.getAllKeysetIds());
    const { fee } = wallet.getKeyset(proofs[0]!.id);
    expect(worth).toBe(100_000n - BigInt(Math.ceil((proofs.length * fee) / 1000)) * 1000n);
    expect(await till.redeem(token)).toMatchObject({ amount: worth });
    expect(await till.balance()).toBe(worth);
  });

  test('a token is credited once, and the second time without a word to the mint', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => till.redeem(token)));
    answers.push(await till.redeem(token));
    expect(new Set(answers.map(({ amount }) => amount))).toEqual(new Set([worth]));
    expect(swaps()).toBe(1);
    expect(await till.balance()).toBe(worth);
  });

  test('a token that somebody else spent is not credited', async () => {
    const wallet = new Wallet(line.url, { unit: 'sat' });
    await wallet.loadMint();
    await wallet.receive(token);
    await expect(till.redeem(token)).rejects.toMatchObject({
      code: 'cashu_token_already_spent',
      spendable: false,
    });
  });

  test('a swap whose reply is lost is restored', async () => {
    line.cut('POST /v1/swap', 'reply');
    expect(await till.redeem(token)).toMatchObject({ amount: worth });
    expect(swaps()).toBe(1);
  });

  test('a swap that never arrived is sent again', async () => {
    line.cut('POST /v1/swap', 'request');
    expect(await till.redeem(token)).toMatchObject({ amount: worth });
    expect(swaps()).toBe(2);
  });

  test('a swap in doubt is credited when its client comes again', async () => {
    line.cut('POST /v1/swap', 'reply');
    line.cut('POST /v1/restore', 'request');
    await expect(till.redeem(token)).rejects.toMatchObject({
      code: 'cashu_redemption_pending',
      retryAfter: 5,
    });
    expect(await till.redeem(token)).toMatchObject({ amount: worth });
  });

  test('a process that dies in a swap leaves what its successor finds', async () => {
    line.cut('POST /v1/swap', 'reply');
    line.cut('POST /v1/restore', 'request');
    await expect(till.redeem(token)).rejects.toMatchObject({ code: 'cashu_redemption_pending' });
    till = await till.restart();
    expect(await till.redeemer.recover(patient)).toMatchObject({ credited: 1 });
    expect(await till.balance()).toBe(worth);
  });
});
