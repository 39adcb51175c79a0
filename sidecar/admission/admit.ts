import { randomUUIDv7 } from 'node:crypto';
import {
  CashuError,
  type IncomingToken,
  type Redeemer,
  type RedemptionTarget,
  refundPublicKey,
} from '../../cashu/index.ts';
import { type Ledger, LedgerUnavailableError, type Msat, type ReserveResult } from '../../ledger/index.ts';
import { accountRefusals, HttpError, isErrorCode } from '../errors.ts';
import type { SessionInUse } from '../session-in-use.ts';
import type { ClientLimits } from './client-limits.ts';
import { type Credential, hashOfToken, previewOf } from './credential.ts';
import type { NewKeyOptions } from './new-key-options.ts';
import { Payment } from './payment.ts';
import { longestEcho, paymentRequired } from './payment-required.ts';
import type { RunningRequests } from './running-requests.ts';
import type { UntilWritten } from './until-written.ts';

export interface AdmissionOptions {
  ledger: Ledger;
  redeemer: Redeemer;
  running: RunningRequests;
  session: SessionInUse;
  provider: string;
  mints: () => readonly string[];
  /** How often one client address may have tokens redeemed. */
  limits: ClientLimits;
  untilWritten: UntilWritten;
}

/** What is to be paid for. */
export interface Purchase {
  /** msat to set aside. */
  amount: Msat;
  model: string;
  /** Price and rate version, for the auditor. */
  priced: string;
  newKey: NewKeyOptions;
  /** The client's address. */
  address: string;
}

type Refused = Exclude<ReserveResult, { kind: 'reserved' }>;

/** From a credential to money set aside, or an answer that says what is missing. Nothing is forwarded before. */
export class Admission {
  readonly #options: AdmissionOptions;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** @throws HttpError with the status and code of http.md; nothing is charged then */
  async pay(credential: Credential, purchase: Purchase, signal: AbortSignal): Promise<Payment> {
    const account = credential.kind === 'request' ? credential.tokenHash : credential.keyHash;
    const first = await this.#reserve(account, purchase);
    if (first instanceof Payment) return first;
    if (credential.kind === 'key' || !isUnknown(first))
      throw await this.#refusal(first, credential, purchase);

    const incoming = await this.#inspect(credential.token, signal);
    if (incoming.worth < purchase.amount) throw await this.#tooSmall(incoming, credential, purchase);
    await this.#redeem(incoming, targetOf(credential, incoming, purchase.newKey), purchase.address, signal);
    const second = await this.#reserve(account, purchase);
    if (second instanceof Payment) return second;
    throw await this.#refusal(second, credential, purchase);
  }

  /**
   * Makes the account of a Bearer token that is not known yet.
   * @returns msat credited
   */
  async open(
    credential: Extract<Credential, { kind: 'token' }>,
    newKey: NewKeyOptions,
    address: string,
    signal: AbortSignal,
  ): Promise<Msat> {
    const incoming = await this.#inspect(credential.token, signal);
    return this.#redeem(incoming, targetOf(credential, incoming, newKey), address, signal);
  }

  /** @returns msat credited to an account that exists */
  async topUp(account: string, token: string, address: string, signal: AbortSignal): Promise<Msat> {
    const incoming = await this.#inspect(token, signal);
    return this.#redeem(incoming, { role: 'topup', account }, address, signal);
  }

  /** Everything that can be said of a token without spending it. */
  async #inspect(token: string, signal: AbortSignal): Promise<IncomingToken> {
    try {
      return await this.#options.redeemer.inspect(token, signal);
    } catch (error) {
      throw await this.#cashuAnswer(error, token);
    }
  }

  /** A token that would not cover the request, still unspent: its owner gets it back and may use a larger one. */
  async #tooSmall(
    { worth, fee, token }: IncomingToken,
    credential: Credential,
    purchase: Purchase,
  ): Promise<HttpError> {
    const known = await this.#options.ledger.redemption(hashOfToken(token));
    if (known?.state === 'undecided') return new HttpError('cashu_redemption_pending', { retryAfter: 5 });
    if (known && known.state !== 'rejected') return new HttpError('cashu_token_already_spent');
    return paymentRequired(credential.kind === 'request' ? 'payment_required' : 'insufficient_balance', {
      required: purchase.amount,
      available: worth,
      // The next token pays its mint's fee as well.
      ask: purchase.amount + fee,
      model: purchase.model,
      mints: this.#options.mints(),
      ...(credential.kind === 'request' && { echo: token, xCashu: true }),
    });
  }

  /**
   * Whether a credential could pay for anything at all, looked at before a large body is taken.
   * @throws HttpError
   */
  async vouch(credential: Credential, signal: AbortSignal): Promise<void> {
    const { ledger, provider, mints } = this.#options;
    const account = credential.kind === 'request' ? credential.tokenHash : credential.keyHash;
    const known = await ledger.account(account, provider);
    if (known) {
      if (known.available > 0n) return;
      if (credential.kind === 'request') throw await this.#alreadyUsed(credential.tokenHash);
      throw paymentRequired('insufficient_balance', { available: 0n, mints: mints() });
    }
    if (credential.kind === 'key') throw new HttpError('invalid_api_key');
    await this.#inspect(credential.token, signal);
  }

  /** The token of a request that runs or ran: never a second run, whatever became of the first. */
  async #alreadyUsed(tokenHash: string): Promise<HttpError> {
    const change = await this.#options.ledger.requestChange(tokenHash, randomUUIDv7());
    if (change.kind === 'running') return new HttpError('request_running', { retryAfter: 1 });
    return new HttpError('cashu_token_already_spent', {
      message: 'This token paid for a request already. Its change is at POST /v1/wallet/refund',
    });
  }

  async #redeem(
    incoming: IncomingToken,
    target: RedemptionTarget,
    address: string,
    signal: AbortSignal,
  ): Promise<Msat> {
    const wait = this.#options.limits.take(address);
    if (wait > 0) {
      throw new HttpError('rate_limited', {
        retryAfter: wait,
        headers: await this.#handedBack(incoming.token),
      });
    }
    try {
      const redeemed = await this.#options.redeemer.redeem(
        incoming,
        target,
        { known: target.role === 'topup' },
        signal,
      );
      return redeemed.amount;
    } catch (error) {
      throw await this.#cashuAnswer(error, incoming.token);
    }
  }

  /** What became of a token, as an answer. */
  async #cashuAnswer(error: unknown, token: string): Promise<unknown> {
    if (!(error instanceof CashuError)) return error;
    const code = error.reason ? accountRefusals[error.reason] : error.code;
    return new HttpError(isErrorCode(code) ? code : 'cashu_token_redemption_failed', {
      ...(!error.reason && { message: error.message }),
      ...(error.retryAfter !== undefined && { retryAfter: error.retryAfter }),
      headers: error.spendable ? await this.#handedBack(token) : {},
      cause: error,
    });
  }

  /** `X-Cashu` with the token, for an answer that leaves it unspent. A token that was ever taken is never handed back. */
  async #handedBack(token: string): Promise<Record<string, string>> {
    if (token.length > longestEcho) return {};
    const known = await this.#options.ledger.redemption(hashOfToken(token));
    return known === undefined || known.state === 'rejected' ? { 'x-cashu': token } : {};
  }

  async #reserve(account: string, purchase: Purchase): Promise<Payment | Refused> {
    const { ledger, running, provider, mints, untilWritten, session } = this.#options;
    const sessionId = session.id();
    const hold = randomUUIDv7();
    running.expect(hold);
    try {
      const result = await ledger.reserve({
        hold,
        account,
        amount: purchase.amount,
        accrued: 0n,
        provider,
        session: sessionId,
        mints: mints(),
        priced: purchase.priced,
      });
      if (result.kind !== 'reserved') {
        running.delete(hold);
        return result;
      }
    } catch (error) {
      const lost = error instanceof LedgerUnavailableError && error.outcome === 'unknown';
      // Perhaps it was written, only the answer was lost: the release makes sure that nothing stays set aside.
      if (lost) {
        void untilWritten(
          () => ledger.release(hold, sessionId),
          (outcome) => running.ended(hold, outcome),
        );
      } else running.delete(hold);
      throw error;
    }
    return new Payment({
      hold,
      account,
      amount: purchase.amount,
      session: sessionId,
      provider,
      ledger,
      running,
      untilWritten,
    });
  }

  async #refusal(refused: Refused, credential: Credential, purchase: Purchase): Promise<HttpError> {
    const mints = this.#options.mints();
    const xCashu = credential.kind === 'request';
    if (refused.kind !== 'refused') {
      // An X-Cashu token that is spent and yet too small: its money waits for a smaller request, or for its refund.
      const code = refused.kind === 'limit' ? 'balance_limit_exceeded' : 'insufficient_balance';
      return paymentRequired(xCashu ? 'payment_required' : code, {
        required: purchase.amount,
        available: refused.available,
        model: purchase.model,
        mints,
        xCashu,
      });
    }
    switch (refused.reason) {
      case 'used':
        if (credential.kind === 'request') return this.#alreadyUsed(credential.tokenHash);
        return new HttpError('invalid_api_key');
      case 'unknown_account':
        return new HttpError('invalid_api_key');
      case 'expired':
        return new HttpError('key_expired');
      case 'mint':
        // 400, not 402: topping up would not help.
        return new HttpError('cashu_untrusted_source_mint', {
          message:
            'This key was funded by a mint that this provider does not take. Refund it and pay from another mint',
        });
      case 'fenced':
      case 'released':
        return new HttpError('ledger_unavailable', { retryAfter: 1 });
    }
  }
}

/** What a credential's token becomes: a prepaid key, or the money of one request. */
function targetOf(
  credential: Exclude<Credential, { kind: 'key' }>,
  { refundMinimum }: IncomingToken,
  newKey: NewKeyOptions,
): RedemptionTarget {
  if (credential.kind === 'request') {
    const account = { keyHash: credential.tokenHash, preview: 'x-cashu', refundMinimum };
    return { role: 'request', account, refundPubkey: refundPublicKey(credential.token) };
  }
  const account = {
    keyHash: credential.keyHash,
    preview: previewOf(credential.key),
    refundMinimum,
    ...newKey,
  };
  return { role: 'create', account };
}

function isUnknown(refused: Refused): boolean {
  return refused.kind === 'refused' && refused.reason === 'unknown_account';
}
