import { MintError } from './mint-error.ts';

/** What mints answer, checked field by field: a mint is on a list because it is trusted with its own money, not with ours. */

/** A keyset as `/v1/keysets` lists it (NUT-02). */
export interface Keyset {
  id: string;
  unit: string;
  active: boolean;
  /** Input fee per thousand proofs, in the keyset's unit. */
  fee: number;
  /** Unix s. */
  finalExpiry: number | null;
}

/** A blind signature (NUT-00), with the proof that it was made with the published key (NUT-12). */
export interface BlindSignature {
  keyset: string;
  amount: bigint;
  c: string;
  dleq: { e: string; s: string } | null;
}

export type ProofState = 'UNSPENT' | 'PENDING' | 'SPENT';

type Json = Record<string, unknown>;

/** What a mint must do for a swap in doubt to be decidable, and for our lock to hold. */
const requiredNuts = ['7', '9', '10', '11', '12'] as const;
const maxKeysets = 1000;
const maxKeys = 256;
const hex32 = /^[0-9a-f]{64}$/i;
const point = /^0[23][0-9a-f]{64}$/i;

/** @returns the required NUTs that an answer of `/v1/info` (NUT-06) does not claim; none when the mint is usable */
export function readMissingNuts(json: unknown): string[] {
  const nuts = object(object(json, 'info').nuts, 'info');
  return requiredNuts.filter((nut) => !isObject(nuts[nut]) || (nuts[nut] as Json).supported !== true);
}

export function readKeysets(json: unknown): Keyset[] {
  return list(object(json, 'keysets').keysets, maxKeysets, 'keysets').map((entry) => {
    const {
      id,
      unit,
      active,
      input_fee_ppk: fee = 0,
      final_expiry: expiry = null,
    } = object(entry, 'keysets');
    const sound =
      typeof id === 'string' &&
      /^[0-9A-Za-z+/=_-]{1,66}$/.test(id) &&
      typeof unit === 'string' &&
      typeof active === 'boolean' &&
      isCount(fee ?? 0) &&
      (expiry === null || isCount(expiry));
    if (!sound) throw unexpected('keysets');
    return { id, unit, active, fee: Number(fee ?? 0), finalExpiry: expiry === null ? null : Number(expiry) };
  });
}

/** @returns public keys by amount, in decimals, of the keyset `id` (NUT-01) */
export function readKeys(json: unknown, id: string): Record<string, string> {
  const entry = list(object(json, 'keys').keysets, maxKeysets, 'keys').find(
    (keyset) => isObject(keyset) && keyset.id === id,
  );
  const keys = Object.entries(object(object(entry, 'keys').keys, 'keys'));
  if (keys.length === 0 || keys.length > maxKeys) throw unexpected('keys');
  for (const [amount, key] of keys) {
    if (!/^[1-9]\d{0,19}$/.test(amount) || !isPoint(key)) throw unexpected('keys');
  }
  return Object.fromEntries(keys) as Record<string, string>;
}

export function readSignatures(json: unknown, most: number): BlindSignature[] {
  return list(object(json, 'signatures').signatures, most, 'signatures').map(readSignature);
}

/** @returns the signatures that the mint knows, by blinded message (NUT-09) */
export function readRestored(json: unknown, most: number): Map<string, BlindSignature> {
  const { outputs, signatures } = object(json, 'restored signatures');
  const messages = list(outputs, most, 'restored signatures');
  const restored = list(signatures, most, 'restored signatures').map(readSignature);
  if (messages.length !== restored.length) throw unexpected('restored signatures');
  return new Map(
    messages.map((message, index) => {
      const { B_: b } = object(message, 'restored signatures');
      if (!isPoint(b)) throw unexpected('restored signatures');
      return [b, restored[index]!];
    }),
  );
}

/** @returns the state of each of `ys`, in their order (NUT-07) */
export function readStates(json: unknown, ys: readonly string[]): ProofState[] {
  const states = new Map<string, ProofState>();
  for (const entry of list(object(json, 'states').states, ys.length, 'states')) {
    const { Y: y, state } = object(entry, 'states');
    if (typeof y !== 'string' || (state !== 'UNSPENT' && state !== 'PENDING' && state !== 'SPENT')) {
      throw unexpected('states');
    }
    states.set(y, state);
  }
  return ys.map((y) => states.get(y) ?? fail('states'));
}

function readSignature(json: unknown): BlindSignature {
  const { id, amount, C_: c, dleq } = object(json, 'signatures');
  if (typeof id !== 'string' || !isCount(amount) || !isPoint(c)) throw unexpected('signatures');
  if (dleq === undefined || dleq === null) return { keyset: id, amount: BigInt(amount), c, dleq: null };
  const { e, s } = object(dleq, 'signatures');
  if (!isScalar(e) || !isScalar(s)) throw unexpected('signatures');
  return { keyset: id, amount: BigInt(amount), c, dleq: { e, s } };
}

function object(value: unknown, what: string): Json {
  return isObject(value) ? value : fail(what);
}

function list(value: unknown, most: number, what: string): unknown[] {
  return Array.isArray(value) && value.length <= most ? value : fail(what);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** JSON numbers beyond 2^53 are kept: denominations are powers of two, which stay exact. */
function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 2 ** 63;
}

function isPoint(value: unknown): value is string {
  return typeof value === 'string' && point.test(value);
}

function isScalar(value: unknown): value is string {
  return typeof value === 'string' && hex32.test(value);
}

function unexpected(what: string): MintError {
  return new MintError('unknown', `The mint's ${what} are not what NUT says they look like`);
}

function fail(what: string): never {
  throw unexpected(what);
}
