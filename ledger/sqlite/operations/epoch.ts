import type { Connection } from '../connection.ts';

export function epoch(db: Connection) {
  const find = db.prepare<[], { number: bigint }>('select number from epoch');
  return (): bigint => find.get()?.number ?? 0n;
}
