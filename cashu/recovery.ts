import { setTimeout as delay } from 'node:timers/promises';
import { type Evidence, gatherEvidence } from './evidence.ts';
import type { Mint } from './mint.ts';
import { MintError } from './mint-error.ts';
import { inDoubt, type RedemptionContext } from './redemption-context.ts';
import type { CreditResult, LockedProof, StoredAttempt } from './redemption-store.ts';
import { judge } from './verdict.ts';

/** Mints commit late: what is spent without a signature is looked at once more after this (ms). */
const secondLookAfter = 1_000;
/** A swap that timed out may still be in the mint's queue. It is not written off before this (ms) has passed. */
const writeOffAfter = 30_000;

/** Inputs whose fate is to be found out. */
export interface InDoubt {
  tokenHash: string;
  inputYs: readonly string[];
  mint: Mint;
  /**
   * Sends the same inputs and outputs once more; only possible while the token is in hand.
   * `refused`: the mint answered and did not take them, so nothing of ours is under way any more.
   */
  replay?: ((attempt: StoredAttempt) => Promise<LockedProof[] | 'refused' | 'unknown'>) | undefined;
  /** The last swap of this token was refused by the mint, a moment ago. */
  refused: boolean;
}

export type Ending =
  | { kind: 'credited'; tokenHash: string; account: string; amount: bigint }
  /** Nothing was taken: a new attempt may be made. `reused`: because the outputs had been used before. */
  | { kind: 'rejected'; reused: boolean }
  | { kind: 'spent_elsewhere' }
  /** Some of the inputs are spent, so all of them together never will be. */
  | { kind: 'partly_spent' };

/**
 * Finds out what became of inputs and writes it down. Looks at every attempt that ever named one of them, whatever the
 * token and however it was decided: a swap once thought dead may have come through.
 * @throws CashuError `cashu_redemption_pending` when only time will tell
 */
export async function settle(doubt: InDoubt, context: RedemptionContext): Promise<Ending> {
  const { store, signal } = context;
  let { refused, replay } = doubt;
  for (let looks = 1; ; looks++) {
    const attempts = await store.attemptsOnInputs(doubt.inputYs);
    const credited = attempts.find(({ state }) => state === 'credited');
    // Asked for its account, an attempt that is credited changes nothing and needs no proofs.
    if (credited !== undefined)
      return ending(credited, await store.creditAttempt({ attempt: credited.id, proofs: [] }));

    const evidence = await ask(attempts, doubt, context);
    const verdict = judge(evidence.inputs, evidence.sightings);
    const open = openAttempts(attempts);
    switch (verdict.kind) {
      case 'credit':
        return await credit(verdict.attempt, evidence.proofs.get(verdict.attempt.id)!, doubt, context);
      case 'contradiction':
        report('mint_contradicts_itself', verdict.attempt, context);
        throw inDoubt();
      case 'pending':
        throw inDoubt();
      case 'partly_spent':
        await reject(open, 'some of its inputs are spent', { ...doubt, refused: true }, context);
        return { kind: 'partly_spent' };
      case 'spent':
        if (open.length === 0) return { kind: 'spent_elsewhere' };
        if (looks > 1) return await giveUp(open, doubt, context);
        await delay(secondLookAfter, undefined, { signal }).catch(() => {
          throw inDoubt();
        });
        break;
      case 'unspent': {
        for (const attempt of verdict.reused) report('outputs_reused', attempt, context);
        if (open.length === 0 && attempts.some(({ state }) => state === 'spent_elsewhere')) {
          return { kind: 'spent_elsewhere' };
        }
        const ours = open.find(({ tokenHash }) => tokenHash === doubt.tokenHash);
        const reused = ours !== undefined && verdict.reused.some(({ id }) => id === ours.id);
        if (replay !== undefined && ours !== undefined && !reused && !refused) {
          const replayed = await replay(ours);
          if (typeof replayed === 'object') return await credit(ours, replayed, doubt, context);
          refused = replayed === 'refused';
          replay = undefined;
          break;
        }
        await reject(
          open,
          'the mint has its inputs unspent',
          { ...doubt, refused: refused || reused },
          context,
        );
        return { kind: 'rejected', reused };
      }
    }
  }
}

/** State is the token's: of its attempts only the latest one is still to be decided. */
function openAttempts(attempts: readonly StoredAttempt[]): StoredAttempt[] {
  const latest = new Map(attempts.map((attempt) => [attempt.tokenHash, attempt]));
  return [...latest.values()].filter(({ state }) => state === 'undecided');
}

async function ask(attempts: StoredAttempt[], doubt: InDoubt, context: RedemptionContext): Promise<Evidence> {
  try {
    return await gatherEvidence(attempts, doubt.inputYs, doubt.mint, context.crypto, context.signal);
  } catch (error) {
    throw error instanceof MintError ? inDoubt(error) : error;
  }
}

async function credit(
  attempt: StoredAttempt,
  proofs: readonly LockedProof[],
  { mint }: InDoubt,
  { store, onEvent }: RedemptionContext,
): Promise<Ending> {
  const result = await store.creditAttempt({ attempt: attempt.id, proofs });
  if (result.kind === 'credited') {
    const { amount } = result;
    onEvent({ kind: 'credited_late', alert: false, amount, mint: mint.url, attempt: attempt.id });
  }
  return ending(attempt, result);
}

function ending({ id, tokenHash }: StoredAttempt, result: CreditResult): Ending {
  if (result.kind === 'unknown_attempt') throw new Error(`The store forgot attempt ${id}`);
  return { kind: 'credited', tokenHash, account: result.account, amount: result.amount };
}

/** Frees the inputs, if nobody can still be at work on any of these attempts. */
async function reject(
  open: readonly StoredAttempt[],
  why: string,
  doubt: InDoubt,
  context: RedemptionContext,
): Promise<void> {
  if (!open.every((attempt) => isIdle(attempt, doubt, context))) throw inDoubt();
  for (const attempt of open) {
    await context.store.rejectAttempt(attempt.id);
    context.onEvent({ kind: 'rejected', alert: false, why, mint: attempt.mint, attempt: attempt.id });
  }
}

async function giveUp(
  open: readonly StoredAttempt[],
  doubt: InDoubt,
  context: RedemptionContext,
): Promise<Ending> {
  if (!open.every((attempt) => isIdle(attempt, { ...doubt, refused: true }, context))) throw inDoubt();
  for (const attempt of open) {
    await context.store.markSpentElsewhere(attempt.id);
    context.onEvent({ kind: 'spent_elsewhere', alert: false, mint: attempt.mint, attempt: attempt.id });
  }
  return { kind: 'spent_elsewhere' };
}

/**
 * Nobody else is at work on it: its process is dead, or it is this one. And nothing of it can still be on its way: the
 * mint just refused it, or it is too old.
 */
function isIdle(
  { tokenHash, session, sessionDead, createdAt }: StoredAttempt,
  { tokenHash: own, refused }: InDoubt,
  context: RedemptionContext,
): boolean {
  if (tokenHash !== own && context.busy(tokenHash)) return false;
  if (!sessionDead && session !== context.session().id) return false;
  return (tokenHash === own && refused) || context.clock() - createdAt >= writeOffAfter;
}

function report(
  kind: 'mint_contradicts_itself' | 'outputs_reused',
  attempt: StoredAttempt,
  { onEvent }: RedemptionContext,
): void {
  onEvent({ kind, alert: true, mint: attempt.mint, attempt: attempt.id });
}
