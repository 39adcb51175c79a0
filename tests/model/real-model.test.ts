import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mintToken } from '../../sqlite-dev/mint-token.ts';
import { pickModel } from '../../sqlite-dev/pick-model.ts';
import { eventually } from '../support/stack.ts';
import { type DevSetup, startDev } from './dev-setup.ts';

const urls = [process.env.LLM_URL ?? ''].filter((url) => url !== '');

if (urls.length === 0) test.skip('LLM_URL is empty: no real model to ask (http://host:port/v1)');

/** What the sidecar adds to an OpenAI usage object. */
interface Paid {
  prompt_tokens: number;
  completion_tokens: number;
  cost: { total_msats: number; input_msats: number; output_msats: number };
  remaining_balance_msats: number;
}

describe.each(urls)('in front of %s', (upstream) => {
  let dev: DevSetup;
  let model: string;
  let base: string;

  beforeAll(async () => {
    dev = await startDev(upstream);
    base = `${dev.endpoints.sidecar.url}/v1`;
    model = await pickModel(dev.endpoints.sidecar.url, upstream);
  });
  afterAll(() => dev?.[Symbol.asyncDispose]());

  const messages = [{ role: 'user' as const, content: 'Count from one to ten.' }];

  /** A customer with a fresh token. */
  async function customer(sats = 500) {
    const token = await mintToken(dev.endpoints.mint.url, sats);
    return { token, openai: new OpenAI({ baseURL: base, apiKey: token, maxRetries: 0 }) };
  }

  /** msat */
  async function account(token: string): Promise<{ balance: number; reserved: number; total_spent: number }> {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${base}/wallet/info`, { headers });
    expect(response.status).toBe(200);
    return (await response.json()) as Awaited<ReturnType<typeof account>>;
  }

  test('the upstream is the real one, and make dev started none of its own', () => {
    expect(dev.endpoints.model).toEqual({ url: upstream, pid: null });
  });

  test('a chat is answered and charged by what the model says it used', async () => {
    const { token, openai } = await customer();
    const answer = await openai.chat.completions.create({ model, messages, max_tokens: 12 });
    const usage = answer.usage as unknown as Paid;
    expect(answer.choices[0]!.message.content).not.toBe('');
    expect(usage.completion_tokens).toBeGreaterThan(0);
    expect(usage.completion_tokens).toBeLessThanOrEqual(12);
    expect(usage.cost.total_msats).toBeGreaterThan(0);
    const { balance, reserved, total_spent } = await account(token);
    expect({ balance, reserved, total_spent }).toEqual({
      balance: usage.remaining_balance_msats,
      reserved: 0,
      total_spent: usage.cost.total_msats,
    });
  });

  test('a stream comes in many pieces and ends with its cost', async () => {
    const { token, openai } = await customer();
    const stream = await openai.chat.completions.create({ model, messages, max_tokens: 24, stream: true });
    let pieces = 0;
    let paid: Paid | undefined;
    for await (const chunk of stream) {
      if (chunk.choices[0]?.delta.content) pieces++;
      paid = (chunk.usage as unknown as Paid | null) ?? paid;
    }
    expect(pieces).toBeGreaterThan(1);
    expect(paid!.completion_tokens).toBeGreaterThanOrEqual(pieces);
    expect(paid!.cost.total_msats).toBeGreaterThan(0);
    expect(await account(token)).toMatchObject({ reserved: 0, total_spent: paid!.cost.total_msats });
  });

  test('a stream that its reader leaves is charged for what was delivered, no more', async () => {
    const [{ token, openai }, whole] = [await customer(), await customer()];
    const asked = { model, messages, max_tokens: 200, ignore_eos: true };
    const stream = await openai.chat.completions.create({ ...asked, stream: true });
    let read = 0;
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content && ++read === 4) break;
    await eventually(async () => expect(await account(token)).toMatchObject({ reserved: 0 }), 60_000);

    const price = (await whole.openai.chat.completions.create(asked)).usage as unknown as Paid;
    const { total_spent } = await account(token);
    const each = price.cost.output_msats / price.completion_tokens;
    expect(total_spent).toBeGreaterThanOrEqual(Math.floor(4 * each));
    expect(total_spent).toBeLessThan(price.cost.total_msats);
  });

  test('embeddings are sold, where the model has some', async () => {
    const asked = { model, input: ['a paid vector', 'and another'] };
    const direct = await fetch(`${upstream}/embeddings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(asked),
    });
    const { token, openai } = await customer();
    const sold = await openai.embeddings
      .create({ ...asked, encoding_format: 'float' })
      .catch((error) => error);
    if (direct.ok) {
      expect(sold.data).toHaveLength(2);
      expect((await account(token)).total_spent).toBeGreaterThan(0);
    } else {
      expect(sold.status).toBeGreaterThanOrEqual(400);
      expect(await account(token)).toMatchObject({ total_spent: 0, reserved: 0 });
    }
  });

  test('one token pays for one request with X-Cashu, and once only', async () => {
    const token = await mintToken(dev.endpoints.mint.url, 300);
    const ask = () =>
      fetch(`${base}/chat/completions`, {
        method: 'POST',
        headers: { 'x-cashu': token, 'content-type': 'application/json' },
        body: JSON.stringify({ model, messages, max_tokens: 8 }),
      });
    const first = await ask();
    expect(first.status).toBe(200);
    expect(Number(first.headers.get('x-routstr-cost-msats'))).toBeGreaterThan(0);
    await first.text();
    const second = await ask();
    expect(second.status).toBe(400);
    expect(await second.json()).toMatchObject({ error: { code: 'cashu_token_already_spent' } });
  });

  test('example.ts prints an answer, its cost and the balance', async () => {
    const { token } = await customer();
    const env = { CASHU_TOKEN: token, BASE_URL: base, MODEL: model };
    const { code, printed } = await dev.run(['example.ts', 'Is water wet? Answer yes or no.'], env);
    expect({ code, printed }).toMatchObject({ code: 0 });
    expect(printed).toMatch(/Cost: +[\d.]+ sat/);
    const balance = Number(/Balance: ([\d.]+) sat/.exec(printed)?.[1]);
    expect(balance * 1000).toBe((await account(token)).balance);
  });

  test('the books balance, and it stops when asked to', async () => {
    const audit = await dev.run(['cli/audit.ts'], { DATABASE_URL: dev.endpoints.database });
    expect(audit.code).toBe(0);
    expect(JSON.parse(audit.printed)).toMatchObject({
      balanced: true,
      violations: [],
      books: [{ difference: '0', reserved: '0' }],
    });
    expect(await dev.stop()).toBe(0);
  });
});
