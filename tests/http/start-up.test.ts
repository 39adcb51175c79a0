import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';

// A setting that can't be used stops the start, and names itself.

const good = {
  UPSTREAM_BASE_URL: 'http://127.0.0.1:9/v1',
  CASHU_MINTS: 'http://127.0.0.1:9',
  WALLET_PUBLIC_KEY: `02${'ab'.repeat(32)}`,
  MODELS_PATH: new URL('../../models.example.json', import.meta.url).pathname,
  BTC_USD: '100000',
  DATABASE_URL: 'sqlite:///nowhere/at/all/ledger.sqlite',
  PORT: '0',
  ADMIN_PORT: '0',
  DRAIN_PORT: '0',
};

/** Starts a sidecar that can't start, and says what it complained about. */
async function complaint(env: Record<string, string | undefined>): Promise<string[]> {
  const settings = Object.entries({ ...good, ...env }).filter(([, value]) => value !== undefined);
  const child = spawn(process.execPath, ['sidecar/main.ts'], {
    env: { PATH: process.env.PATH, ...Object.fromEntries(settings) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = Promise.all([child.stderr.toArray(), child.stdout.toArray()]);
  const [code] = await once(child, 'exit');
  expect(code).toBe(1);
  const [errors, output] = await said;
  expect(Buffer.concat(output).toString()).toBe('');
  return Buffer.concat(errors).toString().trimEnd().split('\n');
}

test('everything that is missing, at once', async () => {
  const lines = await complaint({
    UPSTREAM_BASE_URL: undefined,
    CASHU_MINTS: undefined,
    WALLET_PUBLIC_KEY: ' ',
  });
  expect(lines).toHaveLength(4);
  for (const name of ['UPSTREAM_BASE_URL', 'CASHU_MINTS', 'WALLET_PUBLIC_KEY']) {
    expect(lines).toContainEqual(
      expect.stringMatching(new RegExp(`^ +${name}: expected .+; it is missing$`)),
    );
  }
});

test('everything that is wrong, at once, with what was expected; secrets are not repeated', async () => {
  const wrong = {
    UPSTREAM_BASE_URL: 'localhost:8000',
    CASHU_MINTS: 'mint.example.com',
    WALLET_PUBLIC_KEY: 'npub1qqqq',
    PORT: '99999',
    ADMIN_PORT: 'http',
    MARGIN_PERCENT: '-5',
    MODEL_BASED_PRICING: 'perhaps',
    BTC_USD: '1e5',
    EXTRA_PATHS: '[{"path":"/v1/pooling"}]',
    LOG_LEVEL: 'loud',
    BODY_LIMIT_BYTES: '0',
  };
  const lines = await complaint({ ...wrong, WALLET_VIEW_KEY: 'a-secret-view-key', DRAIN_TOKEN: 'short' });
  for (const [name, value] of Object.entries(wrong)) {
    expect(lines, name).toContainEqual(expect.stringMatching(new RegExp(`^ +${name}: expected .+; got .+$`)));
    if (name === 'PORT') expect(lines.join()).toContain(value);
  }
  expect(lines).toContainEqual(expect.stringMatching(/^ +WALLET_VIEW_KEY: expected .+; got something else$/));
  expect(lines.join()).not.toContain('a-secret-view-key');
  expect(lines).toHaveLength(1 + Object.keys(wrong).length + 2);
});

test.each<[string, Record<string, string | undefined>, RegExp]>([
  [
    'a catalogue that is not there',
    { MODELS_PATH: '/nowhere/models.json' },
    /MODELS_PATH: there is no \/nowhere\/models\.json/,
  ],
  ['a catalogue that is no JSON', { MODELS_PATH: 'README.md' }, /MODELS_PATH: README\.md is not JSON/],
  ['prices in USD without a rate', { BTC_USD: undefined }, /BTC_USD: expected a static Bitcoin price/],
  [
    'a mounted file that is not there',
    { CONFIG_FILE: '/nowhere/config.json' },
    /CONFIG_FILE: can't read \/nowhere/,
  ],
  [
    'a mounted file that is no object',
    { CONFIG_FILE: 'README.md' },
    /CONFIG_FILE: .*must hold one JSON object/,
  ],
  [
    'a path that is for sale already',
    { EXTRA_PATHS: '[{"path":"/v1/rerank","sats":"1"}]' },
    /EXTRA_PATHS: \/v1\/rerank is for sale already/,
  ],
  ['a database of another kind', { DATABASE_URL: 'mysql://user:password@host/db' }, /DATABASE_URL/],
  ['a database where none can be', {}, /\/nowhere\/at\/all/],
])('%s', async (_, env, message) => {
  const lines = await complaint(env);
  expect(lines.join('\n')).toMatch(message);
  expect(lines.join('\n'), 'a complaint, not a crash').not.toMatch(/^ +at .*\.ts:\d+/m);
  expect(lines.join('\n')).not.toContain('password@');
});
