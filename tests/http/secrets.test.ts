import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { ask, chat } from '../support/ask.ts';
import { account } from '../support/books.ts';
import { openToken } from '../support/proofs.ts';
import { eventually, startStack } from '../support/stack.ts';

test('no key, token or proof is in the log, the metrics or the ledger’s files', async () => {
  await using stack = await startStack({ env: { LOG_LEVEL: 'trace' } });
  const { url } = stack;
  const secrets: [string, string][] = [['upstream', 'upstream-credential']];
  const watch = async (name: string, token: string) => {
    secrets.push([name, token], [`${name}, its middle`, token.slice(60, 120)]);
    const { proofs } = await openToken(stack.mint.url, token);
    for (const { secret, C } of proofs) secrets.push([`${name}'s secret`, secret], [`${name}'s C`, C]);
    return token;
  };
  const completions = `${url}/v1/chat/completions`;

  // A busy day: every credential in every place, good, bad, spent and in doubt.
  const token = await watch('token', await stack.token(200));
  const { api_key: key } = await account(stack, token);
  secrets.push(['key', key]);
  for (const body of [chat(), chat(8, { stream: true })]) {
    for (const headers of [
      { authorization: `Bearer ${key}` },
      { authorization: `Bearer ${token}` },
      { 'x-api-key': key },
      { authorization: `Basic ${key}` },
      { authorization: `Bearer ${key}x` },
      { authorization: `Bearer ${token}!` },
      { 'x-cashu': token },
    ]) {
      await ask(completions, { headers, body });
    }
  }
  const children = await ask(`${url}/v1/balance/child-key`, { key, body: { count: 2, balance_limit: 10 } });
  for (const child of children.json<{ api_keys: string[] }>().api_keys) {
    secrets.push(['child key', child]);
    await ask(completions, { key: child, body: chat() });
    await ask(`${url}/v1/balance/child-key/reset`, { key, body: { child_key: child } });
  }
  const more = await watch('top-up', await stack.token(16));
  for (let n = 0; n < 2; n++) await ask(`${url}/v1/balance/topup`, { key, body: { cashu_token: more } });
  await ask(`${url}/v1/balance/create`, { body: { initial_balance_token: more } });
  await ask(`${url}/v1/balance/create`, { body: `{"initial_balance_token":"${more}"` });
  const once = await watch('x-cashu', await stack.token(32));
  for (let n = 0; n < 2; n++) await ask(completions, { headers: { 'x-cashu': once }, body: chat() });
  await ask(`${url}/v1/wallet/refund`, { headers: { 'x-cashu': once }, body: {} });
  stack.model.fault('reset=before', 1);
  await ask(completions, { key, body: chat() });
  stack.mint.fault({ kind: 'html', path: 'POST /v1/swap', when: 'before', times: 1 });
  const doubtful = await watch('token in doubt', await stack.token(32));
  await ask(completions, { key: doubtful, body: chat() });
  await ask(`${url}/v1/wallet/info?key=${key}&token=${token}`);
  await ask(`${url}/v1/models/${key}`);
  await ask(`${url}/v1/${token}`);
  const refund = await ask(`${url}/v1/wallet/refund`, { key, body: {} });
  expect(refund.status).toBe(425);
  await eventually(() => expect(stack.log.length).toBeGreaterThan(30));

  const metrics = (await ask(`${stack.admin}/metrics`)).text;
  const files = ['', '-wal', '-shm'].map((suffix) => readFile(stack.database + suffix));
  const ledger = Buffer.concat(await Promise.all(files));
  expect(ledger.length).toBeGreaterThan(50_000);
  await stack.stop();
  const log = stack.log.join('\n');
  expect(log).toContain('"msg":"answered"');
  const places: [string, Buffer][] = [
    ['log', Buffer.from(log)],
    ['metrics', Buffer.from(metrics)],
    ['ledger', ledger],
    ['ledger after the end', await readFile(stack.database)],
  ];
  for (const [place, bytes] of places) {
    for (const [name, secret] of secrets) {
      expect(secret.length, name).toBeGreaterThan(15);
      expect(bytes.includes(secret), `the ${name} in the ${place}`).toBe(false);
      if (/^(sk-)?[0-9a-f]{64}$/.test(secret)) {
        const raw = Buffer.from(secret.replace('sk-', ''), 'hex');
        expect(bytes.includes(raw), `the bytes of the ${name} in the ${place}`).toBe(false);
      }
    }
  }
});
