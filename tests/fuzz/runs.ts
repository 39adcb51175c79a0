import { randomInt } from 'node:crypto';
import { Random } from './random.ts';

/** `SEED` and `FUZZ_RUNS`, read here only. */
const { SEED, FUZZ_RUNS } = process.env;

/** All inputs of all fuzz tests together, unless `FUZZ_RUNS` says otherwise. */
const standard = 100_000;

/** ms that a fuzz test may take on the busiest machine. It takes seconds on an idle one. */
export const patience = 600_000;

/** One fuzz test's share of the inputs. The n-th input of a seed is the same on any machine, however many there are. */
export interface Runs {
  seed: number;
  count: number;
  /** Randomness of the n-th input. */
  random(n: number): Random;
  /** What to add to a failure: how to see it again. */
  replay(n: number, input: unknown): string;
}

/**
 * @param layer name of the test, so that two tests with one seed don't see the same numbers
 * @param share of all inputs, 0 to 1
 */
export function runs(layer: string, share: number): Runs {
  const seed = SEED === undefined ? randomInt(2 ** 31) : Number(SEED);
  const total = FUZZ_RUNS === undefined ? standard : Number(FUZZ_RUNS);
  if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(total) || total < 1) {
    throw new TypeError('SEED and FUZZ_RUNS must be whole numbers');
  }
  const count = Math.max(1, Math.round(total * share));
  process.stdout.write(`${layer}: SEED=${seed}, ${count} inputs\n`);
  return {
    seed,
    count,
    random: (n) => new Random(`${layer} ${seed} ${n}`),
    replay: (n, input) => `\n${layer}: SEED=${seed}, input ${n}: ${shown(input)}`,
  };
}

/** Spreads inputs over `lanes` that run side by side. Stops all of them at the first failure. */
export async function inParallel(
  count: number,
  lanes: number,
  run: (n: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failed = false;
  const lane = async () => {
    while (next < count && !failed) {
      try {
        await run(next++);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

function shown(input: unknown): string {
  const text = Buffer.isBuffer(input) ? input.toString('latin1') : String(input);
  return JSON.stringify(text.length > 4000 ? `${text.slice(0, 4000)}… (${text.length})` : text);
}
