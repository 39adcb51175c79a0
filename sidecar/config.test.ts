import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readSettings } from './config.ts';
import { Settings } from './settings.ts';

const required = {
  UPSTREAM_BASE_URL: 'http://127.0.0.1:8000/v1',
  CASHU_MINTS: 'https://mint.example, http://127.0.0.1:3338/',
  WALLET_PUBLIC_KEY: `02${'ab'.repeat(32)}`,
};

const message = (env: Record<string, string>) =>
  readSettings(env).then(
    () => 'accepted',
    (error: Error) => error.message,
  );

describe('settings', () => {
  test('come from the environment, with defaults for the rest', async () => {
    const settings = await readSettings({ ...required, PORT: '9000', MODEL_BASED_PRICING: 'false' });
    expect(settings).toMatchObject({
      CASHU_MINTS: ['https://mint.example', 'http://127.0.0.1:3338/'],
      PORT: 9000,
      MODEL_BASED_PRICING: false,
      ADMIN_PORT: 8403,
    });
  });

  test('come from one JSON file, which the environment overrides', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'config-')), 'config.json');
    await writeFile(
      file,
      JSON.stringify({ ...required, CASHU_MINTS: ['https://a.example'], PORT: 1, NAME: 'from the file' }),
    );
    expect(await readSettings({ CONFIG_FILE: file, PORT: '2' })).toMatchObject({
      PORT: 2,
      NAME: 'from the file',
      CASHU_MINTS: ['https://a.example'],
    });
  });

  test.each([
    ['UPSTREAM_BASE_URL', {}, 'it is missing'],
    ['PORT', { PORT: 'eighty' }, 'a port number, 0 to 65535'],
    ['PORT', { PORT: '70000' }, 'a port number, 0 to 65535'],
    ['WALLET_PUBLIC_KEY', { WALLET_PUBLIC_KEY: 'npub1' }, 'a compressed secp256k1 public key in hex'],
    ['LOG_LEVEL', { LOG_LEVEL: 'loud' }, 'fatal, error, warn'],
    ['BTC_USD', { BTC_USD: '1e5' }, 'a static Bitcoin price in USD'],
    ['MARGIN_PERCENT', { MARGIN_PERCENT: '-5' }, 'what is added to the catalogue'],
    ['EXTRA_PATHS', { EXTRA_PATHS: '[{"path":"no slash","sats":"1"}]' }, 'further paths to sell, as JSON'],
    ['EXTRA_PATHS', { EXTRA_PATHS: '[' }, 'further paths to sell, as JSON'],
  ])('a bad %s is named, with what it expects', async (name, env, expected) => {
    const given =
      name === 'UPSTREAM_BASE_URL' ? { ...required, UPSTREAM_BASE_URL: '' } : { ...required, ...env };
    const said = await message(given as Record<string, string>);
    expect(said).toContain(`${name}: expected`);
    expect(said).toContain(expected);
  });

  test('a bad secret is named, but not repeated', async () => {
    const said = await message({ ...required, WALLET_VIEW_KEY: 'my-very-secret-key' });
    expect(said).toContain('WALLET_VIEW_KEY: expected 32 bytes in hex');
    expect(said).not.toContain('my-very-secret-key');
  });

  test('an unknown name in the file is an error, so that a typo does not go unnoticed', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'config-')), 'config.json');
    await writeFile(file, JSON.stringify({ ...required, CASHU_MINTS: ['https://a.example'], MARGIN: '5' }));
    expect(await message({ CONFIG_FILE: file })).toContain('MARGIN: there is no such setting');
  });

  test('are all documented in .env.example, with their defaults', async () => {
    const example = await readFile(new URL('../.env.example', import.meta.url), 'utf8');
    const documented = Object.fromEntries(
      [...example.matchAll(/^#?([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
    );
    expect(Object.keys(documented).sort()).toEqual(Object.keys(Settings.properties).sort());
    for (const [name, schema] of Object.entries(Settings.properties)) {
      const { default: value } = schema as { default?: unknown };
      if (value === undefined || Array.isArray(value)) continue;
      expect(documented[name], name).toBe(String(value));
    }
  });
});
