import type { Clock } from './clock.ts';
import { LedgerUnavailableError } from './errors.ts';
import type { Ledger } from './ledger.ts';
import type { Session } from './session.ts';
import type { HoldId, ProviderId } from './units.ts';

/** ms between two heartbeats. */
const BEAT_EVERY = 3_000;
/** For this long (ms) after sending a heartbeat that was acknowledged nobody can have reaped us: a reaper waits 30 s. */
const TRUST = 20_000;
/** ms between two comparisons of the ledger's holds with those in memory. */
const COMPARE_EVERY = 60_000;

export interface LiveSessionOptions {
  ledger: Ledger;
  provider: ProviderId;
  clock: Clock;
  /**
   * The holds this process knows of, those with a queued or spilled settle included. A hold must be in here before its
   * reserve is sent; what the ledger has beyond it is released.
   */
  holdsInMemory(): ReadonlySet<HoldId>;
  /** This process was taken for dead: its holds are settled, and `session` is the one to reserve with from now on. */
  onFenced(session: Session): void;
}

/**
 * The life of this process in the ledger: a session that is kept alive, replaced when it was fenced, and cleared of
 * holds that nobody in this process knows any more.
 */
export class LiveSession {
  readonly #options: LiveSessionOptions;
  #session: Session;
  #trustedUntil: number;
  #compareAt: number;

  private constructor(options: LiveSessionOptions, session: Session, asked: number) {
    this.#options = options;
    this.#session = session;
    this.#trustedUntil = asked + TRUST;
    this.#compareAt = asked + COMPARE_EVERY;
  }

  /** Opens a session. @throws LedgerUnavailableError */
  static async open(options: LiveSessionOptions): Promise<LiveSession> {
    const asked = options.clock.monotonic();
    return new LiveSession(options, await options.ledger.openSession(options.provider), asked);
  }

  get session(): Session {
    return this.#session;
  }

  /**
   * Until when (by the monotonic clock, ms) this process may deliver what its holds pay for. Counted from when the
   * heartbeat was sent, because the ledger may have noted it at any time since.
   */
  trustedUntil(): number {
    return this.#trustedUntil;
  }

  /** Beats until `signal` aborts, then resolves. An unavailable ledger only lets the trust run out. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      await clock.sleep(BEAT_EVERY, signal).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await this.#beat();
        if (clock.monotonic() >= this.#compareAt) await this.releaseForgotten();
      } catch (error) {
        if (!(error instanceof LedgerUnavailableError)) throw error;
        // Whatever was lost with the connection may have left a hold behind: compare as soon as it is back.
        this.#compareAt = clock.monotonic();
      }
    }
  }

  /** Releases the session's holds that are not in memory: those of a reserve whose answer was lost. */
  async releaseForgotten(): Promise<void> {
    const { ledger, clock, holdsInMemory } = this.#options;
    const { id } = this.#session;
    const held = await ledger.holdsOf(id);
    const known = holdsInMemory();
    await Promise.all(held.filter((hold) => !known.has(hold)).map((hold) => ledger.release(hold, id)));
    this.#compareAt = clock.monotonic() + COMPARE_EVERY;
  }

  async #beat(): Promise<void> {
    const { ledger, provider, clock, onFenced } = this.#options;
    const asked = clock.monotonic();
    if ((await ledger.heartbeat(this.#session.id)) === 'fenced') {
      this.#session = await ledger.openSession(provider);
      onFenced(this.#session);
    }
    this.#trustedUntil = asked + TRUST;
  }
}
