import type {
  ChargeMemo,
  ExtendResult,
  Ledger,
  Msat,
  ReleaseResult,
  SettleResult,
} from '../../ledger/index.ts';
import type { RunningRequest, RunningRequests } from './running-requests.ts';
import type { UntilWritten } from './until-written.ts';

export interface PaymentOptions {
  hold: string;
  account: string;
  amount: Msat;
  session: string;
  provider: string;
  ledger: Ledger;
  running: RunningRequests;
  untilWritten: UntilWritten;
}

/**
 * Money set aside for one request, from its reserve to its one end.
 *
 *   held ─► settled     what was delivered is charged, the rest is free again
 *     └───► released    nothing was delivered
 */
export class Payment implements RunningRequest {
  readonly hold: string;
  readonly account: string;
  readonly session: string;
  readonly #options: PaymentOptions;
  #amount: Msat;
  #extensions = 0;
  #unanswered: { n: number; amount: Msat } | undefined;
  #accrued: () => Msat = () => 0n;
  #ended = false;

  constructor(options: PaymentOptions) {
    this.hold = options.hold;
    this.account = options.account;
    this.session = options.session;
    this.#options = options;
    this.#amount = options.amount;
    options.running.add(this);
  }

  /** Whether settle or release was called. */
  get ended(): boolean {
    return this.#ended;
  }

  /** msat set aside so far: nothing worth more may be delivered. */
  get amount(): Msat {
    return this.#amount;
  }

  accrued(): Msat {
    const accrued = this.#accrued();
    return accrued < this.#amount ? accrued : this.#amount;
  }

  /** From here on a crash leaves the customer owing what `accrued` says: the request is on its way to the model. */
  accrueBy(accrued: () => Msat): void {
    this.#accrued = accrued;
  }

  /**
   * Raises the hold to `amount` in all, or by as much as the account still has.
   * @returns `fenced` when this process was taken for dead: the hold has ended
   * @throws LedgerUnavailableError
   */
  async extendTo(amount: Msat): Promise<'extended' | 'insufficient' | 'fenced'> {
    const result = await this.#extend(amount);
    if (result.kind === 'refused') return 'fenced';
    if (result.kind === 'extended') return 'extended';
    // The last msat of an account buy an answer's last tokens.
    if (result.available > 0n) await this.#extend(this.#amount + result.available);
    return 'insufficient';
  }

  /**
   * Charges `cost`. The hold covers it, so when the ledger is away the charge is written as soon as it is back and the
   * answer need not wait: then this resolves with undefined.
   */
  settle(cost: Msat, memo: ChargeMemo): Promise<SettleResult | undefined> {
    const { ledger, provider } = this.#options;
    return this.#end(() => ledger.settle({ hold: this.hold, provider, cost, memo }));
  }

  /** Gives everything back: nothing was delivered. */
  release(): Promise<ReleaseResult | undefined> {
    return this.#end(() => this.#options.ledger.release(this.hold, this.session));
  }

  async #extend(amount: Msat): Promise<ExtendResult> {
    // One whose answer was lost is asked again as it was: the ledger knows it by its number.
    const asked = this.#unanswered ?? { n: this.#extensions + 1, amount };
    this.#unanswered = asked;
    const result = await this.#options.ledger.extend({ hold: this.hold, session: this.session, ...asked });
    this.#unanswered = undefined;
    this.#extensions = asked.n;
    if (result.kind === 'extended') this.#amount = asked.amount;
    return result;
  }

  async #end<T>(write: () => Promise<T>): Promise<T | undefined> {
    // A second end would be harmless to the ledger, but it would mean two answers to one question.
    if (this.#ended) throw new Error(`Hold ${this.hold} was ended twice`);
    this.#ended = true;
    const { untilWritten, running } = this.#options;
    return untilWritten(write, (outcome) => running.ended(this.hold, outcome));
  }
}
