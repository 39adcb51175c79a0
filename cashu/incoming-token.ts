import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import type { CryptoPool } from './crypto-pool.ts';
import type { IncomingProof } from './crypto-worker.ts';
import { CashuError } from './errors.ts';
import type { Mint } from './mint.ts';
import type { Keyset } from './mint-messages.ts';
import { normalizeMintUrl } from './mint-url.ts';
import type { Msat, Unit } from './redemption-store.ts';

/** About 240 proofs with their DLEQ proofs in a V4 token: more than any wallet sends, little enough to refuse for free. */
const maxTokenLength = 64 * 1024;
/** A swap costs the mint and us about a millisecond a proof. */
const maxProofs = 256;
/** Nutshell refuses longer ones. */
const maxSecretLength = 1024;
/** All bitcoin there will ever be, in msat: what is more would overflow a ledger's 64 bits. */
const allBitcoin = 21_000_000n * 100_000_000n * 1000n;
/** Redeeming takes seconds, recovering may take minutes, and an expired proof is worth nothing. */
const inputMargin = 3600;

/** A token that could be redeemed, as far as can be told without asking its mint about it. */
export class IncomingToken {
  /** SHA-256("redemption" ‖ token), hex: what the ledger knows it by. */
  readonly hash: string;
  /** Normalised. */
  readonly mint: string;
  readonly unit: Unit;
  /** Face value, the mint's fee for swapping it, and what is left. msat. */
  readonly gross: Msat;
  readonly fee: Msat;
  readonly worth: Msat;
  /** Smallest amount (msat) that the mint's fee lets out again. */
  readonly refundMinimum: Msat;
  readonly #token: string;
  readonly #proofs: readonly IncomingProof[];

  constructor(token: string, mint: string, unit: Unit, proofs: readonly IncomingProof[], amounts: Amounts) {
    this.#token = token;
    this.#proofs = proofs;
    this.hash = createHash('sha256').update(`redemption${token}`).digest('hex');
    this.mint = mint;
    this.unit = unit;
    this.gross = amounts.gross;
    this.fee = amounts.fee;
    this.worth = amounts.gross - amounts.fee;
    this.refundMinimum = amounts.refundMinimum;
  }

  /** The bearer money itself, without a `cashu:` prefix. Like the proofs, it does not show in logs. */
  get token(): string {
    return this.#token;
  }

  get proofs(): readonly IncomingProof[] {
    return this.#proofs;
  }

  get proofCount(): number {
    return this.#proofs.length;
  }

  [inspect.custom](): string {
    return `IncomingToken(${this.gross} msat of ${this.mint})`;
  }
}

export interface Amounts {
  gross: Msat;
  fee: Msat;
  refundMinimum: Msat;
}

/** Which mints and units are taken, and how to ask them. */
export interface TokenRules {
  crypto: CryptoPool;
  /** @returns the mint when it is on the list and `unit` is taken there */
  listed(url: string, unit: string): Mint | undefined;
  /** Unix ms. */
  clock: () => number;
}

/**
 * Reads a token without asking its mint about it; keysets are fetched when they are not known yet.
 * @throws CashuError
 * @throws MintError when the mint's keysets are not known and can't be had
 */
export async function readIncomingToken(
  presented: string,
  { crypto, listed, clock }: TokenRules,
  signal: AbortSignal,
): Promise<IncomingToken> {
  if (presented.length > maxTokenLength) throw invalid(`is longer than ${maxTokenLength} characters`);
  const token = presented.trim().replace(/^cashu:(\/\/)?/i, '');
  if (!/^cashu[AB][A-Za-z0-9_\-+/=]+$/.test(token))
    throw invalid('is not a token of version 3 or 4 (cashuA…, cashuB…)');

  const head = await crypto.readHead(token);
  if (!head.ok) throw invalid('can’t be decoded');
  const url = normalizeMintUrl(head.mint);
  const mint = url === undefined ? undefined : listed(url, head.unit);
  if (mint === undefined) throw new CashuError('cashu_untrusted_source_mint');
  const unit = head.unit as Unit;

  const { keysets, proofs } = await readProofs(token, mint, crypto, signal);
  checkProofs(proofs);
  for (const { keyset } of proofs) checkKeyset(keysets.get(keyset), unit, clock());
  const amounts = amountsOf(proofs, unit, keysets);
  return new IncomingToken(token, mint.url, unit, proofs, amounts);
}

/**
 * What a token of these proofs is worth under these keysets' fees (NUT-02).
 * @throws CashuError `cashu_token_zero_value`, `cashu_token_swap_fees_exceed_amount`, `invalid_cashu_token`
 */
export function amountsOf(
  proofs: readonly IncomingProof[],
  unit: Unit,
  keysets: ReadonlyMap<string, Keyset>,
): Amounts {
  const scale = unit === 'sat' ? 1000n : 1n;
  const gross = scale * proofs.reduce((sum, { amount }) => sum + amount, 0n);
  if (gross > allBitcoin) throw invalid('claims to be worth more than there is');
  const perThousand = proofs.reduce((sum, { keyset }) => sum + (keysets.get(keyset)?.fee ?? 0), 0);
  const fee = scale * BigInt(Math.ceil(perThousand / 1000));
  if (fee >= gross) throw new CashuError('cashu_token_swap_fees_exceed_amount');
  // One proof at least has to be spent for a refund, and one unit at least has to come out.
  const dearest = Math.max(
    ...[...keysets.values()]
      .filter((keyset) => keyset.active && keyset.unit === unit)
      .map((keyset) => keyset.fee),
    0,
  );
  return { gross, fee, refundMinimum: scale * BigInt(Math.ceil(dearest / 1000) + 1) };
}

async function readProofs(token: string, mint: Mint, crypto: CryptoPool, signal: AbortSignal) {
  let { keysets, missingNuts } = await mint.describe(signal);
  if (missingNuts.length > 0) {
    throw new CashuError('cashu_untrusted_source_mint', {
      message: `This mint lacks NUT-${missingNuts.join(', NUT-')}: use a token of another mint`,
    });
  }
  for (let refreshed = false; ; refreshed = true) {
    const body = await crypto.readBody({ token, keysets: [...keysets.keys()], maxProofs });
    const unknown = body.ok
      ? body.proofs.some(({ keyset }) => !keysets.has(keyset))
      : body.reason === 'unknown_keyset';
    if (body.ok && !unknown) return { keysets, proofs: body.proofs };
    if (!unknown)
      throw invalid(
        !body.ok && body.reason === 'too_many_proofs'
          ? `has more than ${maxProofs} proofs`
          : 'can’t be decoded',
      );
    if (refreshed) throw invalid('is of a keyset that its mint does not list');
    ({ keysets } = await mint.refreshForToken(signal));
  }
}

function checkProofs(proofs: readonly IncomingProof[]): void {
  if (proofs.length === 0 || proofs.some(({ amount }) => amount === 0n))
    throw new CashuError('cashu_token_zero_value');
  if (new Set(proofs.map(({ secret }) => secret)).size !== proofs.length)
    throw invalid('has one proof twice');
  for (const { amount, secret } of proofs) {
    if (BigInt(Number(amount)) !== amount) throw invalid('has an amount that JSON can’t carry');
    if (secret.length === 0 || secret.length > maxSecretLength)
      throw invalid('has a secret of a wrong length');
    // A NUT-10 secret is a JSON array. Ours alone may spend what is locked, so a lock is somebody else's.
    if (secret.trimStart().startsWith('[')) {
      throw new CashuError('invalid_cashu_token', {
        message: 'This token is locked (NUT-10): swap it for one without conditions first',
        spendable: true,
      });
    }
  }
}

function checkKeyset(keyset: Keyset | undefined, unit: Unit, now: number): void {
  if (keyset?.unit !== unit) throw invalid('mixes units');
  if (keyset.finalExpiry !== null && keyset.finalExpiry < now / 1000 + inputMargin) {
    throw new CashuError('cashu_token_redemption_failed', {
      message: 'The keyset of this token expires within the hour: swap it at its mint first',
    });
  }
}

function invalid(what: string): CashuError {
  return new CashuError('invalid_cashu_token', { message: `This token ${what}` });
}
