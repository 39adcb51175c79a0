import type { MintOptions } from './start-mint.ts';

/** The development mint's settings: PORT, HOST, MINT_DATABASE, UNITS, INPUT_FEE_PPK, CACHED_FOR. */
export function readMintConfig(env: Readonly<Record<string, string | undefined>>): MintOptions {
  return {
    port: integer(env, 'PORT', 3338),
    host: env.HOST || '127.0.0.1',
    database: env.MINT_DATABASE || '.dev/mint.sqlite',
    units: (env.UNITS || 'sat').split(',').map((unit) => unit.trim()),
    inputFeePpk: integer(env, 'INPUT_FEE_PPK', 100),
    cachedFor: integer(env, 'CACHED_FOR', 0) || null,
  };
}

function integer(env: Readonly<Record<string, string | undefined>>, name: string, otherwise: number): number {
  const text = env[name];
  if (text === undefined || text === '') return otherwise;
  if (!/^\d{1,6}$/.test(text)) throw new TypeError(`${name} must be a whole number, not "${text}"`);
  return Number(text);
}
