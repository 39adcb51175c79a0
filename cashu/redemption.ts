import { randomUUIDv7 } from 'node:crypto';
import { CashuError } from './errors.ts';
import { amountsOf, type IncomingToken } from './incoming-token.ts';
import type { Mint } from './mint.ts';
import { MintError } from './mint-error.ts';
import { deserializeOutputs, type Output, serializeOutputs } from './outputs.ts';
import { settle } from './recovery.ts';
import { beforeSwap, type RedemptionContext } from './redemption-context.ts';
import type {
  LockedProof,
  Msat,
  NewAttempt,
  RedemptionTarget,
  StoredAttempt,
  StoredRedemption,
} from './redemption-store.ts';
import { swap } from './swap.ts';

/** A fee or keyset that changes under us is met with a new attempt; a mint that changes it each time is not. */
const maxAttempts = 4;

export interface Credited {
  /** Key hash of the account that has the money. */
  account: string;
  /** msat. */
  amount: Msat;
  /** The token's hash. */
  redemption: string;
}

interface Prepared {
  row: NewAttempt;
  outputs: Output[];
  /** What it was made for: the same attempt again would end the same way. */
  terms: string;
}

/**
 * One token's way into an account.
 *
 *   begin ─► swap ─► verify ─► credited
 *     ▲        └───────┴─► in doubt ─► settle ─► credited
 *     │                       ▲         ├──────► spent elsewhere     (nothing restored, looked at twice)
 *     │                       └─ replay ┤        (inputs unspent: same inputs, same outputs)
 *     │                                 ├──────► undecided           (pending, contradictory, or the mint is away)
 *     └───────────── rejected ◄─────────┘        (nothing restored, inputs unspent, nobody else at work)
 *
 * Each state is in the store before the mint is asked for the next one, so a crash anywhere leaves a row to look at.
 */
export class Redemption {
  readonly #token: IncomingToken;
  readonly #target: RedemptionTarget;
  readonly #mint: Mint;
  readonly #context: RedemptionContext;

  constructor(token: IncomingToken, target: RedemptionTarget, mint: Mint, context: RedemptionContext) {
    this.#token = token;
    this.#target = target;
    this.#mint = mint;
    this.#context = context;
  }

  /**
   * Credits the token, or says why not.
   * @throws CashuError, and what the store throws
   */
  async run(): Promise<Credited> {
    const { store, crypto, signal } = this.#context;
    const inputYs = await crypto.hashToYs(this.#token.proofs.map(({ secret }) => secret));
    let refusal: { terms: string; code: number | undefined } | undefined;
    for (let n = 0; n < maxAttempts; n++) {
      let refused = false;
      const known = await store.redemption(this.#token.hash);
      if (known === undefined || known.state === 'rejected') {
        const prepared = await this.#prepare(inputYs);
        if (prepared.terms === refusal?.terms) break;
        const begun = await this.#begin(prepared.row);
        if (begun === 'again') continue;
        if (begun === 'begun') {
          const result = await this.#swapFirst(prepared);
          if ('credited' in result) return result.credited;
          refused = result.refused;
          if (refused) refusal = { terms: prepared.terms, code: result.code };
        }
      } else {
        const credited = creditOf(known, this.#target);
        if (credited !== undefined) return credited;
      }
      const replay = (attempt: StoredAttempt) => this.#replay(attempt);
      const doubt = { tokenHash: this.#token.hash, inputYs, mint: this.#mint, replay, refused };
      const ending = await settle(doubt, this.#context);
      if (ending.kind === 'credited') return this.#creditedTo(ending);
      if (ending.kind !== 'rejected') throw new CashuError('cashu_token_already_spent');
      if (ending.reused) refusal = undefined;
      await this.#asked(this.#mint.refresh(signal));
    }
    const code = refusal?.code === undefined ? '' : ` (code ${refusal.code})`;
    throw new CashuError('cashu_token_redemption_failed', {
      message: `The mint refused this token${code} and left it unspent`,
    });
  }

  /** Fee, outputs and row of a new attempt, by the keysets as they are now. */
  async #prepare(inputYs: readonly string[]): Promise<Prepared> {
    const { outputs: maker, provider, session, signal, maxExposure } = this.#context;
    const { unit, proofs, hash } = this.#token;
    const { keysets } = await this.#asked(this.#mint.describe(signal));
    const keyset = await this.#asked(this.#mint.outputKeyset(unit, signal));
    const { gross, fee } = amountsOf(proofs, unit, keysets);
    const { id, number } = session();
    const outputs = await maker.make((gross - fee) / (unit === 'sat' ? 1000n : 1n), keyset, number);
    if (outputs === undefined) {
      throw new CashuError('cashu_token_redemption_failed', {
        message: 'The mint has no denominations for this amount: use another mint',
      });
    }
    const row: NewAttempt = {
      attempt: randomUUIDv7(),
      tokenHash: hash,
      target: this.#target,
      provider,
      session: id,
      mint: this.#mint.url,
      unit,
      gross,
      fee,
      inputYs,
      outputYs: outputs.map(({ y }) => y),
      outputs: serializeOutputs(outputs),
      maxExposure,
    };
    return { row, outputs, terms: `${keyset.id} ${fee}` };
  }

  /**
   * @returns `again` when the store's answer makes another one likely, `doubt` when an earlier attempt has to be settled
   */
  async #begin(row: NewAttempt): Promise<'begun' | 'again' | 'doubt'> {
    const result = await this.#context.store.beginAttempt(row);
    switch (result.kind) {
      case 'begun':
        return 'begun';
      case 'known':
      case 'outputs_taken':
        return 'again';
      case 'other_role':
        throw new CashuError('cashu_token_already_spent');
      case 'inputs_taken':
        if (result.by === 'undecided') return 'doubt';
        throw new CashuError('cashu_token_already_spent');
      case 'fenced':
        throw new CashuError('cashu_redemption_pending', {
          message: 'This server is starting over: try again with the same token',
          spendable: true,
          retryAfter: 1,
        });
      case 'exposure':
        throw new CashuError('cashu_exposure_exceeded');
      case 'account':
        if (result.reason === 'mint') throw new CashuError('cashu_untrusted_source_mint');
        throw new CashuError('cashu_account_refused', { reason: result.reason });
    }
  }

  async #swapFirst({
    row,
    outputs,
  }: Prepared): Promise<{ credited: Credited } | { refused: boolean; code: number | undefined }> {
    const { store, onEvent } = this.#context;
    const attempt = row.attempt;
    const result = await swap(attempt, this.#token.proofs, outputs, this.#mint, this.#context);
    if (result.kind === 'swapped') {
      const credit = await store.creditAttempt({ attempt, proofs: result.proofs });
      if (credit.kind === 'unknown_attempt') throw new Error(`The store forgot attempt ${attempt}`);
      const { amount } = credit;
      if (credit.kind === 'credited')
        onEvent({ kind: 'credited', alert: false, amount, mint: this.#mint.url, attempt });
      return { credited: this.#creditedTo({ ...credit, tokenHash: this.#token.hash }) };
    }
    const { error } = result;
    if (error.failure === 'not_sent') {
      // The one case in which no look is needed: nothing left this process.
      await store.rejectAttempt(attempt);
      throw beforeSwap(error);
    }
    onEvent({ kind: 'in_doubt', alert: false, why: error.message, mint: this.#mint.url, attempt });
    if (error.failure === 'rate_limited') {
      throw new CashuError('cashu_mint_rate_limited', { retryAfter: error.retryAfter, spendable: false });
    }
    return { refused: error.failure === 'refused', code: error.mintCode };
  }

  async #replay({ id, outputs }: StoredAttempt): Promise<LockedProof[] | 'refused' | 'unknown'> {
    const result = await swap(id, this.#token.proofs, deserializeOutputs(outputs), this.#mint, this.#context);
    if (result.kind === 'swapped') return result.proofs;
    return result.error.failure === 'refused' ? 'refused' : 'unknown';
  }

  #creditedTo({
    tokenHash,
    account,
    amount,
  }: {
    tokenHash: string;
    account: string;
    amount: Msat;
  }): Credited {
    // These very proofs came in with another token.
    if (tokenHash !== this.#token.hash) throw new CashuError('cashu_token_already_spent');
    // An earlier attempt in another role was thought dead, and a restore just proved that it was not.
    if (account !== accountOf(this.#target)) throw new CashuError('cashu_token_consumed');
    return { account, amount, redemption: tokenHash };
  }

  async #asked<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      throw error instanceof MintError ? beforeSwap(error) : error;
    }
  }
}

/**
 * What a redemption that the store knows already means for whoever brings its token again.
 * @returns undefined while it is not credited
 * @throws CashuError `cashu_token_already_spent` when it was used for something else
 */
export function creditOf(known: StoredRedemption, target: RedemptionTarget): Credited | undefined {
  if (known.role !== target.role || known.account !== accountOf(target)) {
    throw new CashuError('cashu_token_already_spent');
  }
  if (known.state !== 'credited') return undefined;
  return { account: known.account, amount: known.credited, redemption: known.tokenHash };
}

export function accountOf(target: RedemptionTarget): string {
  return typeof target.account === 'string' ? target.account : target.account.keyHash;
}
