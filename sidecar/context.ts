import type { Ledger } from '../ledger/index.ts';
import type { Admission } from './admission/admit.ts';
import type { ClientLimits } from './admission/client-limits.ts';
import type { MemoryBudget } from './admission/memory-budget.ts';
import type { RunningRequests } from './admission/running-requests.ts';
import type { Drain } from './drain.ts';
import type { UnfinishedAnswers } from './inference/unfinished-answers.ts';
import type { Metrics } from './metrics.ts';
import type { Offer } from './offer.ts';
import type { SessionInUse } from './session-in-use.ts';
import type { Upstream } from './upstream/upstream.ts';

/** What routes need, wired once in `sidecar.ts`. */
export interface Context {
  ledger: Ledger;
  admission: Admission;
  upstream: Upstream;
  drain: Drain;
  metrics: Metrics;
  budget: MemoryBudget;
  running: RunningRequests;
  unfinished: UnfinishedAnswers;
  load: Load;
  /** What one client address may ask of the wallet and the mints. */
  limits: ClientLimits;
  offer: () => Offer;
  session: SessionInUse;
  /** Something is wrong here that no client can mend. */
  onBroken: (error: unknown) => void;
  /** Unix ms. */
  now: () => number;
  /** Aborted when the process ends. */
  signal: AbortSignal;
}

export interface Load {
  /** Requests on their way to being admitted. */
  waiting: number;
}
