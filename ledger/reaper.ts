import type { Clock } from './clock.ts';
import { LedgerUnavailableError } from './errors.ts';
import type { Ledger } from './ledger.ts';
import type { ReapResult, SessionBeat } from './session.ts';
import type { SessionId } from './units.ts';

/** A session whose counter stands still this long (ms) is dead. A live process stops delivering well before: see `TRUST` in live-session.ts. */
const STILL_FOR = 30_000;
/** ms between two looks. */
const LOOK_EVERY = 2_000;
/** A look that comes this late (ms) says nothing about the time before it: this process slept, or the ledger did. */
const LATE = 8_000;

interface Still {
  counter: bigint;
  since: number;
}

/**
 * What one process has seen of the others, by its own monotonic clock: no two machines' clocks are ever compared.
 *
 * A session is judged only by an unbroken series of looks. A ledger that hung for a minute kept everybody's heartbeat
 * from arriving, and a laptop that slept saw nobody's.
 */
export class Observation {
  #seen = new Map<SessionId, Still>();
  #lastLook: number | undefined;

  /**
   * @param asked when the look was sent, @param answered when it came back (monotonic ms).
   * @returns the sessions that are dead, with the counter they stopped at.
   */
  look(beats: readonly SessionBeat[], asked: number, answered: number): SessionBeat[] {
    if (this.#lastLook !== undefined && answered - this.#lastLook > LATE) this.forget();
    this.#lastLook = answered;
    const before = this.#seen;
    this.#seen = new Map(
      beats.map(({ id, counter }) => {
        const still = before.get(id);
        return [id, still?.counter === counter ? still : { counter, since: answered }];
      }),
    );
    return beats.filter(({ id }) => asked - this.#seen.get(id)!.since >= STILL_FOR);
  }

  /** After any failure of the ledger: the count starts again. */
  forget(): void {
    this.#seen = new Map();
    this.#lastLook = undefined;
  }
}

export interface ReaperOptions {
  ledger: Ledger;
  clock: Clock;
  /** The session of this process: its own writes prove that writing works. */
  observer(): SessionId;
  onReaped(session: SessionBeat, result: ReapResult): void;
}

/**
 * Ends what dead processes left: their holds are charged what was accrued and set free. Every process runs one, as many
 * at once as there are; the ledger lets one of them win.
 *
 * Runs until `signal` aborts, then resolves. Never rejects for an unavailable ledger: it looks again later.
 */
export async function runReaper(options: ReaperOptions, signal: AbortSignal): Promise<void> {
  const { clock } = options;
  const observation = new Observation();
  while (!signal.aborted) {
    try {
      await lookOnce(options, observation);
    } catch (error) {
      if (!(error instanceof LedgerUnavailableError)) throw error;
      observation.forget();
    }
    await clock.sleep(LOOK_EVERY, signal).catch(() => undefined);
  }
}

async function lookOnce(
  { ledger, clock, observer, onReaped }: ReaperOptions,
  observation: Observation,
): Promise<void> {
  const own = observer();
  const asked = clock.monotonic();
  const beats = await ledger.observeSessions(own);
  const dead = observation.look(beats, asked, clock.monotonic());
  for (const session of dead) {
    if (session.id === own) continue;
    const result = await ledger.reap(session.id, session.counter);
    if (result.fenced) onReaped(session, result);
  }
}
