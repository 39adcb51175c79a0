/** Several rounds of one figure. The median is what counts; the ends say how much the machine was disturbed. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

/** @param rounds at least one */
export function spreadOf(rounds: readonly number[]): Spread {
  const sorted = rounds.toSorted((a, b) => a - b);
  return { median: quantile(sorted, 0.5), min: sorted[0]!, max: sorted.at(-1)! };
}

/** Round by round: neighbours in time were disturbed alike, so their ratio is steadier than the ratio of two medians. */
export function ratioOf(ours: readonly number[], beside: readonly number[]): Spread {
  return spreadOf(ours.map((value, round) => value / beside[round]!));
}

/** @param sorted ascending, at least one */
export function quantile(sorted: readonly number[], q: number): number {
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)]!;
  return low + (sorted[Math.ceil(at)]! - low) * (at % 1);
}
