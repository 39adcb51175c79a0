import { MintError } from './errors.ts';
import type { Keyset } from './keysets.ts';
import type { Mint } from './mint.ts';

/** Paths whose replies are kept for a retry (NUT-19). */
export const cachedPaths = ['/v1/swap', '/v1/mint/bolt11', '/v1/melt/bolt11'] as const;

/** NUT-06. `cachedFor`: seconds, null without NUT-19. */
export function info(mint: Mint, cachedFor: number | null) {
  const methods = mint.keysets.units().map((unit) => ({ method: 'bolt11', unit }));
  const supported = Object.fromEntries([7, 8, 9, 10, 11, 12, 20].map((nut) => [nut, { supported: true }]));
  const cached_endpoints = cachedPaths.map((path) => ({ method: 'POST', path }));
  return {
    name: 'Development mint',
    version: 'sqlite-dev/1',
    description: 'Pays its own invoices. Its money is worth nothing.',
    time: Math.floor(mint.now() / 1000),
    nuts: {
      4: { methods, disabled: false },
      5: { methods, disabled: false },
      ...supported,
      ...(cachedFor === null ? {} : { 19: { ttl: cachedFor, cached_endpoints } }),
    },
  };
}

/** NUT-02. */
export function listKeysets(mint: Mint) {
  return { keysets: mint.keysets.all().map(describe) };
}

/** NUT-01: the keys to use today, or those of one keyset of any age. */
export function keys(mint: Mint, id?: string) {
  if (id === undefined)
    return {
      keysets: mint.keysets
        .all()
        .filter((keyset) => keyset.active)
        .map(withKeys),
    };
  const keyset = mint.keysets.find(id);
  if (keyset === undefined) throw new MintError('unknown_keyset', id.slice(0, 66));
  return { keysets: [withKeys(keyset)] };
}

function describe({ id, unit, active, inputFeePpk, finalExpiry }: Keyset) {
  return { id, unit, active, input_fee_ppk: inputFeePpk, final_expiry: finalExpiry };
}

function withKeys(keyset: Keyset) {
  return { ...describe(keyset), keys: keyset.publicKeys };
}
