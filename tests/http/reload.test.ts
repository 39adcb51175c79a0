import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, chat, events } from '../support/ask.ts';
import { account, bought, charges, expectBalanced, type Told } from '../support/books.ts';
import { expectError } from '../support/expect-error.ts';
import { eventually, type Stack, startStack } from '../support/stack.ts';

// Prices and settings follow their files while requests run; a file that can't be used changes nothing.
let folder: string;
let models: string;
let config: string;
let stack: Stack;
let key: string;

interface Catalogue {
  models: { id: string; pricing: Record<string, string> }[];
}
let original: Catalogue;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'routstr-'));
  models = join(folder, 'models.json');
  config = join(folder, 'config.json');
  const example = new URL('../../models.example.json', import.meta.url);
  original = JSON.parse(await readFile(example, 'utf8'));
  await price('0.000002');
  await settings({ NAME: 'First name', DESCRIPTION: 'From the file' });
  stack = await startStack({
    env: { MODELS_PATH: models, CONFIG_FILE: config, DESCRIPTION: 'From the environment' },
  });
  key = await stack.token(1024);
  await account(stack, key);
});
afterAll(async () => {
  await expectBalanced(stack);
  await stack[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Writes a catalogue in which a completion token of stub-chat costs this, USD. */
async function price(completion: string): Promise<void> {
  const changed = original.models.map((model) =>
    model.id === 'stub-chat' ? { ...model, pricing: { ...model.pricing, completion } } : model,
  );
  await writeFile(models, JSON.stringify({ models: changed }));
}

function settings(values: object): Promise<void> {
  return writeFile(config, JSON.stringify(values));
}

/** USD a completion token, as it is published. */
async function published(): Promise<number> {
  const answer = await ask(`${stack.url}/v1/models/stub-chat`);
  return answer.json<{ pricing: { completion: number } }>().pricing.completion;
}

async function info() {
  return (await ask(`${stack.url}/v1/info`)).json();
}

function complaints(): string[] {
  return stack.log.filter((line) => line.includes('the old ones stay'));
}

const pay = (more: object = {}) => ask(`${stack.url}/v1/chat/completions`, { key, body: chat(20, more) });

test('a new price is for the requests after it: one that runs keeps its own', async () => {
  expect((await bought(stack, key, () => pay())).charge.msat).toBe(2 + 20 * 2);
  const known = charges(stack).length;
  stack.model.fault('drip=150', 1);
  const running = pay({ stream: true });
  await eventually(async () => expect((await account(stack, key)).reserved).toBe(42));

  await price('0.000005');
  await eventually(async () => expect(await published()).toBe(0.000005));
  expect((await account(stack, key)).reserved, 'the stream still runs').toBe(42);
  expect((await pay()).headers.get('x-routstr-cost-msats')).toBe(String(2 + 20 * 5));
  const [usage] = events<{ usage: Told }>((await running).text).slice(-2);
  expect(usage).toMatchObject({ usage: { cost: { total_msats: 42 } } });
  expect(
    charges(stack)
      .slice(known)
      .map(({ msat }) => msat)
      .sort((a, b) => a - b),
  ).toEqual([42, 102]);
});

test('a catalogue that can not be used changes nothing, and the log says why', async () => {
  const before = complaints().length;
  await price('-1');
  await eventually(() => expect(complaints()).toHaveLength(before + 1));
  expect(complaints().at(-1)).toContain('completion');
  expect(await published()).toBe(0.000005);
  expect((await pay()).status).toBe(200);
  expect((await ask(`${stack.admin}/readyz`)).status).toBe(200);
  await price('0.000001');
  await eventually(async () => expect(await published()).toBe(0.000001));
});

test('the mounted file follows, and the environment wins', async () => {
  expect(await info()).toMatchObject({ name: 'First name', description: 'From the environment' });
  await settings({ NAME: 'Second name', MARGIN_PERCENT: '50', DESCRIPTION: 'Still from the file' });
  await eventually(async () => expect(await info()).toMatchObject({ name: 'Second name' }));
  expect(await info()).toMatchObject({ description: 'From the environment' });
  expect(await published()).toBe(0.0000015);
  const { charge } = await bought(stack, key, () => pay());
  // 2 × 1.5 and 20 × 1.5 msat.
  expect(charge.msat).toBe(33);
});

test('a file with a wrong setting changes nothing, and the log names it', async () => {
  const before = complaints().length;
  await settings({ NAME: 'Third name', MARGIN_PERCENT: 'plenty' });
  await eventually(() => expect(complaints()).toHaveLength(before + 1));
  expect(complaints().at(-1)).toContain('MARGIN_PERCENT');
  expect(await info()).toMatchObject({ name: 'Second name' });
});

test('a model that is gone from the catalogue is not for sale', async () => {
  await settings({});
  await writeFile(models, JSON.stringify({ models: original.models.filter(({ id }) => id !== 'stub-chat') }));
  await eventually(async () => {
    expectError(await pay(), 400, 'invalid_request_error', 'invalid_model');
  });
});
