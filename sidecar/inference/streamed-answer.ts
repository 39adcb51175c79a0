import { LedgerUnavailableError } from '../../ledger/index.ts';
import type { RunningCost } from '../../pricing/running-cost.ts';
import type { Payment } from '../admission/payment.ts';
import type { SseMeter } from '../metering/sse-meter.ts';
import type { UpstreamFailure } from '../upstream/failure.ts';
import type { BodySink, Flow } from '../upstream/forward.ts';
import type { Client } from './client.ts';

/** Why a stream ended. Only `complete` has the upstream's own last word on usage. */
export type StreamEnd =
  | 'complete'
  | 'client_gone'
  | 'upstream_failed'
  | 'insufficient_balance'
  | 'untrusted'
  | 'draining';

export interface StreamedAnswerOptions {
  meter: SseMeter;
  flow: Flow;
  client: Client;
  payment: Payment;
  running: RunningCost;
  /** Whether the ledger still counts this process's holds as running. */
  trusted: () => boolean;
  /** Whether it never will again: its session was fenced. */
  fenced: () => boolean;
  /** Called once. What was delivered is final then. */
  ended: (end: StreamEnd, delivered: Delivered) => void;
}

/** What went out to the client. */
export interface Delivered {
  anything: boolean;
  tokens: number;
}

/** Tokens that a hold is extended ahead by: a second's worth of a fast model. */
const ahead = 256;
/** ms until a ledger that did not answer, or does not trust this process, is looked at again. */
const patience = 250;

/**
 * A stream on its way through: each chunk goes to the client as it comes, as long as the hold covers it.
 *
 * What the hold does not cover waits here, and the upstream is paused, until the ledger has set more aside or said no. So
 * a client never gets what it can't pay for, and a slow client or ledger never fills this process's memory.
 */
export class StreamedAnswer implements BodySink {
  readonly #options: StreamedAnswerOptions;
  /** Metered, but not covered or not allowed out yet. */
  #waiting: Buffer[] = [];
  readonly #delivered: Delivered = { anything: false, tokens: 0 };
  #coveredTokens: number;
  #extending = false;
  #extended = false;
  #refused = false;
  #upstreamEnded = false;
  #end: StreamEnd | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: StreamedAnswerOptions) {
    this.#options = options;
    const { payment, running } = options;
    this.#coveredTokens = running.tokensWithin(payment.amount);
    payment.accrueBy(() => running.at(this.#delivered.tokens));
  }

  /** Ends it at once when the client has left already. */
  start(): void {
    this.#options.client.onGone(() => this.finish('client_gone'));
  }

  data(chunk: Buffer): void {
    if (this.#end) return;
    const pieces = this.#options.meter.push(chunk);
    if (pieces.length > 0) this.#waiting.push(...pieces);
    this.#advance();
  }

  end(): void {
    this.#upstreamEnded = true;
    this.#advance();
  }

  failed(_: UpstreamFailure): void {
    this.finish('upstream_failed');
  }

  /** Ends the stream, whatever it was at. Only the first call counts. */
  finish(end: StreamEnd): void {
    if (this.#end) return;
    this.#end = end;
    clearTimeout(this.#timer);
    this.#waiting = [];
    if (end !== 'complete') this.#options.flow.abort();
    this.#options.ended(end, this.#delivered);
  }

  #advance(): void {
    const { meter, client, flow } = this.#options;
    if (this.#end) return;
    if (!this.#mayDeliver()) {
      flow.pause();
      return;
    }
    const tokens = meter.deliveredTokens();
    if (tokens > this.#coveredTokens) {
      flow.pause();
      this.#extend(tokens);
      return;
    }
    if (this.#waiting.length > 0) {
      const pieces = this.#waiting;
      this.#waiting = [];
      this.#delivered.anything = true;
      this.#delivered.tokens = tokens;
      if (!client.write(pieces, () => flow.resume())) flow.pause();
    }
    if (this.#upstreamEnded) this.finish('complete');
    // The hold covers the longest answer that was asked for. A stream that outran it once will again: then ahead of time.
    else if (this.#extended && !this.#refused && tokens + ahead > this.#coveredTokens) this.#extend(tokens);
  }

  /**
   * Past the time the ledger trusts this process for, a reaper may have ended its holds: then delivery waits. Once fenced
   * it has ended this one, however much its next session is trusted: nothing pays for more.
   */
  #mayDeliver(): boolean {
    const { trusted, fenced } = this.#options;
    if (fenced()) this.finish('untrusted');
    else if (trusted()) return true;
    else this.#later();
    return false;
  }

  #extend(tokens: number): void {
    if (this.#extending) return;
    if (this.#refused) {
      this.finish('insufficient_balance');
      return;
    }
    this.#extending = true;
    const { payment, running } = this.#options;
    payment
      .extendTo(running.at(tokens + 2 * ahead))
      .then((result) => {
        this.#extending = false;
        if (result === 'fenced') {
          this.finish('untrusted');
          return;
        }
        this.#extended = true;
        this.#refused = result === 'insufficient';
        this.#coveredTokens = running.tokensWithin(payment.amount);
        this.#goOn();
      })
      .catch((error: unknown) => {
        this.#extending = false;
        // Not answered is not refused: asked again while there is trust, and nothing uncovered goes out meanwhile.
        if (error instanceof LedgerUnavailableError) this.#later();
        else {
          this.#refused = true;
          this.#goOn();
        }
      });
  }

  #later(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#goOn();
    }, patience);
  }

  #goOn(): void {
    if (this.#end) return;
    this.#options.flow.resume();
    this.#advance();
  }
}
