import type { Programs } from './program.ts';
import { ratioOf, type Spread, spreadOf } from './spread.ts';

export type Unit = 'ms' | 'µs' | '/s' | 'MB';

/** What is wanted of a row: of its own value, or of its ratio to what stands beside it. */
export interface Aim {
  of: 'value' | 'ratio';
  most?: number;
  least?: number;
}

/** One line of the report. */
export interface Row {
  what: string;
  unit: Unit;
  value: Spread;
  /** Measured in the same run, in turns with ours. Absent where only the value counts. */
  beside?: { what: string; value: Spread; ratio: Spread };
  aim?: Aim;
}

/** A line that could not be measured here, and why. */
export interface Missing {
  what: string;
  missing: string;
}

export interface FigureContext {
  /** Says what is being done at the moment. */
  progress: (doing: string) => void;
  programs: Programs;
  /** An empty folder on the disk to be measured, deleted afterwards. */
  folder: string;
}

/** A group of rows that one arrangement of processes yields. Takes half a minute at most. */
export interface Figure {
  name: string;
  measure(context: FigureContext): Promise<(Row | Missing)[]>;
}

/** @param rounds ours, and in the same order theirs */
export function rowBeside(
  what: string,
  unit: Unit,
  rounds: readonly number[],
  beside: { what: string; rounds: readonly number[] },
  aim?: Aim,
): Row {
  return {
    what,
    unit,
    value: spreadOf(rounds),
    beside: {
      what: beside.what,
      value: spreadOf(beside.rounds),
      ratio: ratioOf(rounds, beside.rounds),
    },
    ...(aim && { aim }),
  };
}

export function row(what: string, unit: Unit, rounds: readonly number[], aim?: Aim): Row {
  return { what, unit, value: spreadOf(rounds), ...(aim && { aim }) };
}

/** Whether a row is what is wanted; undefined where nothing is. */
export function meetsAim({ value, beside, aim }: Row): boolean | undefined {
  if (!aim) return undefined;
  const figure = (aim.of === 'ratio' ? beside!.ratio : value).median;
  return figure <= (aim.most ?? Number.POSITIVE_INFINITY) && figure >= (aim.least ?? 0);
}
