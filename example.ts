/**
 * A paid chat with the official OpenAI SDK: the token is the API key.
 *
 *     CASHU_TOKEN=cashuB… npx node example.ts "Why is the sky blue?"
 *
 * The same token pays again until it is used up. `BASE_URL` and `MODEL` choose another server and model.
 */
import OpenAI, { APIConnectionError, APIError } from 'openai';

const { CASHU_TOKEN, BASE_URL = 'http://127.0.0.1:8402/v1', MODEL = 'stub-chat' } = process.env;
const question = process.argv[2] ?? 'Say hello to the world.';

/** What the sidecar adds to the usage of the last event. Amounts in msat unless named otherwise. */
interface Paid {
  cost?: { total_msats: number; input_msats: number; output_msats: number; total_usd: number | string };
  cost_sats?: number;
  remaining_balance_msats?: number;
}

const print = (text: string): boolean => process.stdout.write(text);

async function chat(apiKey: string): Promise<void> {
  const openai = new OpenAI({ baseURL: BASE_URL, apiKey });
  const stream = await openai.chat.completions.create({
    model: MODEL,
    messages: [{ role: 'user', content: question }],
    max_tokens: 256,
    stream: true,
    stream_options: { include_usage: true },
  });
  let paid: Paid | undefined;
  for await (const chunk of stream) {
    print(chunk.choices[0]?.delta.content ?? '');
    paid = (chunk.usage as Paid | null | undefined) ?? paid;
  }
  print(`\n\n${receipt(paid)}\n`);
}

function receipt(paid: Paid | undefined): string {
  if (!paid?.cost) return `${BASE_URL} did not say what this cost: is it the paid port?`;
  const { total_msats, input_msats, output_msats, total_usd } = paid.cost;
  return [
    `Cost:    ${sats(total_msats)} (prompt ${sats(input_msats)}, completion ${sats(output_msats)}, ${total_usd} USD)`,
    `Balance: ${paid.remaining_balance_msats === undefined ? 'unknown' : sats(paid.remaining_balance_msats)}`,
  ].join('\n');
}

function sats(msats: number): string {
  return `${msats / 1000} sat`;
}

/** What went wrong, and what to do about it. */
function explain(error: unknown): string {
  if (error instanceof APIConnectionError)
    return `Nothing answers at ${BASE_URL}. Is it running? Try: make dev`;
  if (!(error instanceof APIError)) throw error;
  const { amount_required_msat: required, available_msat: available } = (error.error ?? {}) as Record<
    string,
    unknown
  >;
  if (error.status === 402 && typeof required === 'number') {
    const left = typeof available === 'number' ? `${sats(available)} are left` : 'there is less than that';
    return `This request needs ${sats(required)} set aside, and ${left}. Get a larger token: make token AMOUNT=1000`;
  }
  if (error.code === 'cashu_token_already_spent') return 'This token is spent. Get another one: make token';
  if (error.code === 'invalid_model') return `${MODEL} is not sold here. What is: ${BASE_URL}/models`;
  // The SDK puts the status in front.
  return error.status === undefined ? `The stream ended: ${error.message}` : error.message;
}

if (!CASHU_TOKEN) {
  print('Set CASHU_TOKEN to a Cashu token. While `make dev` runs, `make token` prints one.\n');
  process.exitCode = 1;
} else {
  try {
    await chat(CASHU_TOKEN);
  } catch (error) {
    print(`\n${explain(error)}\n`);
    process.exitCode = 1;
  }
}
