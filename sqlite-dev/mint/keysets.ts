import { hkdfSync } from 'node:crypto';
import { createNewMintKeys, serializeMintKeys } from '@cashu/cashu-ts';
import { MintError } from './errors.ts';
import type { KeysetRow, MintStore } from './store.ts';

/** Denominations 2^0 … 2^40. */
const denominations = 41;

/** NUT-02. Amounts are in `unit`. */
export interface Keyset {
  id: string;
  unit: string;
  inputFeePpk: number;
  active: boolean;
  /** Unix s. */
  finalExpiry: number | null;
  publicKeys: Readonly<Record<string, string>>;
  secretKeys: Readonly<Record<string, Uint8Array>>;
}

export interface Rotation {
  unit: string;
  inputFeePpk: number;
  /** Unix s. */
  finalExpiry?: number | undefined;
  /** Leave the old keysets active too, as some mints do when only the fee changes. */
  keepOld?: boolean | undefined;
}

/** The mint's keysets, old ones included: their proofs can always be spent. */
export class Keysets {
  readonly #store: MintStore;
  readonly #byId = new Map<string, Keyset>();

  constructor(store: MintStore) {
    this.#store = store;
    this.#load();
  }

  all(): Keyset[] {
    return [...this.#byId.values()];
  }

  units(): string[] {
    return [...new Set(this.all().map((keyset) => keyset.unit))];
  }

  /** Starts a new keyset for a unit. */
  rotate(rotation: Rotation): Keyset {
    const row: KeysetRow = {
      n: this.#byId.size,
      unit: rotation.unit,
      input_fee_ppk: rotation.inputFeePpk,
      active: 1,
      final_expiry: rotation.finalExpiry ?? null,
    };
    this.#store.transaction(() => {
      if (!rotation.keepOld) this.#store.deactivateKeysets(rotation.unit);
      this.#store.addKeyset(row);
    });
    this.#load();
    return this.all().at(-1)!;
  }

  /**
   * The keyset that proofs or outputs name.
   * @param now Unix ms
   * @throws MintError `unknown_keyset`, `expired_keyset`
   */
  usable(id: string, now: number): Keyset {
    const keyset = this.#byId.get(id);
    if (keyset === undefined) throw new MintError('unknown_keyset', id);
    if (keyset.finalExpiry !== null && keyset.finalExpiry * 1000 <= now)
      throw new MintError('expired_keyset', id);
    return keyset;
  }

  find(id: string): Keyset | undefined {
    return this.#byId.get(id);
  }

  #load(): void {
    const known = new Map(this.all().map((keyset, n) => [n, keyset]));
    this.#byId.clear();
    for (const row of this.#store.keysets()) {
      const keyset = known.get(row.n) ?? this.#derive(row);
      this.#byId.set(keyset.id, { ...keyset, active: row.active === 1 });
    }
  }

  #derive(row: KeysetRow): Keyset {
    const seed = new Uint8Array(hkdfSync('sha256', this.#store.seed, '', `keyset ${row.n}`, 32));
    const keys = createNewMintKeys(denominations, seed, {
      unit: row.unit,
      input_fee_ppk: row.input_fee_ppk,
      ...(row.final_expiry === null ? {} : { expiry: row.final_expiry }),
    });
    return {
      id: keys.keysetId,
      unit: row.unit,
      inputFeePpk: row.input_fee_ppk,
      active: row.active === 1,
      finalExpiry: row.final_expiry,
      publicKeys: serializeMintKeys(keys.pubKeys),
      secretKeys: keys.privKeys,
    };
  }
}
