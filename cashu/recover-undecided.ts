import { CashuError } from './errors.ts';
import type { MintList } from './mint-list.ts';
import { settle } from './recovery.ts';
import type { RedemptionContext } from './redemption-context.ts';
import type { StoredAttempt } from './redemption-store.ts';

/** Attempts in one pass. What is over comes with the next one. */
const atOnce = 100;
/** Younger ones (ms) of a live process are still being worked on. */
const leaveAloneFor = 10_000;

/** What one pass over the undecided attempts came to. */
export interface RecoveryReport {
  credited: number;
  rejected: number;
  spentElsewhere: number;
  /** Still in doubt, or at work elsewhere. */
  undecided: number;
}

/**
 * One pass over what crashes, time-outs and lost answers have left behind, without the tokens. Mints that failed a moment
 * ago are left alone.
 * @param exclusively runs the task as the token's only redemption in this process
 * @throws what the store throws
 */
export async function recoverUndecided(
  context: RedemptionContext,
  mints: MintList,
  exclusively: (tokenHash: string, task: () => Promise<void>) => Promise<void>,
  signal: AbortSignal,
): Promise<RecoveryReport> {
  const report: RecoveryReport = { credited: 0, rejected: 0, spentElsewhere: 0, undecided: 0 };
  for (const attempt of await context.store.undecidedAttempts(context.provider, atOnce)) {
    signal.throwIfAborted();
    const resting = mints.at(attempt.mint).mint.restUntil > context.clock();
    if (resting || context.busy(attempt.tokenHash) || isAtWork(attempt, context)) {
      report.undecided += 1;
      continue;
    }
    await exclusively(attempt.tokenHash, async () => {
      report[await recover(attempt, context, mints)] += 1;
    });
  }
  return report;
}

function isAtWork({ sessionDead, session, createdAt }: StoredAttempt, context: RedemptionContext): boolean {
  const elsewhere = !sessionDead && session !== context.session().id;
  return elsewhere && context.clock() - createdAt < leaveAloneFor;
}

async function recover(
  attempt: StoredAttempt,
  context: RedemptionContext,
  mints: MintList,
): Promise<keyof RecoveryReport> {
  const { tokenHash, inputYs } = attempt;
  const { mint } = mints.at(attempt.mint);
  try {
    const { kind } = await settle({ tokenHash, inputYs, mint, refused: false }, context);
    if (kind === 'credited') return 'credited';
    return kind === 'spent_elsewhere' ? 'spentElsewhere' : 'rejected';
  } catch (error) {
    if (error instanceof CashuError && error.code === 'cashu_redemption_pending') return 'undecided';
    throw error;
  }
}
