import type { Accrual, HoldId, Ledger, Msat } from '../../ledger/index.ts';

/** What the ledger must hear about a request while it runs. */
export interface RunningRequest {
  hold: HoldId;
  /** msat owed if this process died now. Only rises. */
  accrued(): Msat;
}

/**
 * The requests whose holds this process answers for. Once a second what they owe goes into the ledger, in one write for
 * all, so that a crash costs the provider a second of delivery and a customer nothing that was not delivered.
 */
export class RunningRequests {
  readonly #running = new Map<HoldId, { request?: RunningRequest | undefined; written: Msat }>();
  readonly #broken = new Set<HoldId>();
  readonly #idle = new Set<() => void>();
  #admitted = 0;

  get size(): number {
    return this.#running.size;
  }

  /** Of these, whose money is set aside. The others are still on their way to it. */
  get admitted(): number {
    return this.#admitted;
  }

  holds(): ReadonlySet<HoldId> {
    return new Set([...this.#running.keys(), ...this.#broken]);
  }

  /** Before its reserve is sent: else a look at the ledger in between would take it for a forgotten one. */
  expect(hold: HoldId): void {
    this.#running.set(hold, { written: 0n });
  }

  add(request: RunningRequest): void {
    this.#admitted += 1;
    this.#running.set(request.hold, { request, written: 0n });
  }

  /**
   * Its end was written; or it can't be, because of a mistake of ours. Then nobody here may release it as forgotten:
   * what it accrued is charged by the reaper when this process has gone.
   */
  ended(hold: HoldId, outcome: 'written' | 'broken'): void {
    if (outcome === 'broken') this.#broken.add(hold);
    this.delete(hold);
  }

  delete(hold: HoldId): void {
    const entry = this.#running.get(hold);
    if (entry?.request) {
      this.#admitted -= 1;
      // V8's maps leave their old tables chained to the new ones: one that grew old would keep all requests since.
      entry.request = undefined;
    }
    this.#running.delete(hold);
    if (this.#running.size > 0) return;
    for (const resolve of this.#idle) resolve();
    this.#idle.clear();
  }

  /** Resolves when nothing runs, at once when nothing does. */
  idle(): Promise<void> {
    if (this.#running.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.add(resolve));
  }

  /** Writes what changed since the last time. Rejects as the ledger does; nothing is lost, the next call writes it. */
  async accrue(ledger: Ledger, session: string): Promise<void> {
    const accruals: Accrual[] = [];
    for (const [hold, entry] of this.#running) {
      const accrued = entry.request?.accrued() ?? 0n;
      if (accrued > entry.written) accruals.push({ hold, accrued });
    }
    if (accruals.length === 0) return;
    if ((await ledger.accrue(session, accruals)) === 'fenced') return;
    for (const { hold, accrued } of accruals) {
      const entry = this.#running.get(hold);
      if (entry) entry.written = accrued;
    }
  }
}
