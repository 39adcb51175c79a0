import type { Millis } from '../units.ts';
import type { Operations } from './operations/index.ts';

/** What goes between the event loop and the thread that writes. One message a batch: a message an operation would cost more than the SQL. */
export type OperationName = keyof Operations;
export type Input<N extends OperationName> = Parameters<Operations[N]>[0];
export type Output<N extends OperationName> = ReturnType<Operations[N]>;

/** One operation to run. */
export type Call = readonly [name: OperationName, input: unknown];

export interface Batch {
  now: Millis;
  calls: readonly Call[];
}

/** Why an operation, or all of a batch, has no result. */
export type Failure =
  | { kind: 'unavailable'; outcome: 'not_applied' | 'unknown'; message: string }
  /** A {@link LedgerContractError}, or a constraint that fired. */
  | { kind: 'contract'; message: string };

/** Answers in the order of the calls; `failed` is empty when all went well. */
export type Reply =
  | { results: readonly unknown[]; failed: readonly (Failure | undefined)[] }
  | { all: Failure };

/** What the main thread asks of the writer. */
export type WriterRequest = { kind: 'batch'; batch: Batch } | { kind: 'close' };

export type WriterMessage =
  | { kind: 'ready' }
  | { kind: 'unreadable'; code: string; message: string }
  | { kind: 'reply'; reply: Reply };
