import { DatabaseSync } from 'node:sqlite';
import { expect } from 'vitest';
import { ask } from './ask.ts';
import type { Stack } from './stack.ts';

/** One charge, as the journal has it. */
export interface Charge {
  reference: string;
  /** Positive. */
  msat: number;
  model: string;
  path: string;
  inputMsat: number;
  outputMsat: number;
  inputTokens: number;
  outputTokens: number;
  estimated: boolean;
}

/** What a usage object tells a client about the money. */
export interface Told {
  cost: {
    base_msats: number;
    input_msats: number;
    output_msats: number;
    total_msats: number;
    cache_read_msats: number;
    cache_creation_msats: number;
    total_usd: number | null;
  };
  cost_sats: number;
  remaining_balance_msats: number;
}

/** Rows of the ledger's file, read while the sidecar runs. */
export function rows<T>(stack: Stack, sql: string): T[] {
  const database = new DatabaseSync(stack.database, { readOnly: true });
  try {
    return database.prepare(sql).all() as T[];
  } finally {
    database.close();
  }
}

/** Every charge so far, oldest first. */
export function charges(stack: Stack): Charge[] {
  return rows<Omit<Charge, 'estimated'> & { estimated: number }>(
    stack,
    `select reference, -amount as msat, model, path, input_msat as inputMsat, output_msat as outputMsat,
      input_tokens as inputTokens, output_tokens as outputTokens, estimated
    from entry where kind = 'charge' order by reference`,
  ).map((row) => ({ ...row, estimated: row.estimated === 1 }));
}

export async function account(stack: Stack, key: string) {
  const answer = await ask(`${stack.url}/v1/wallet/info`, { key });
  expect(answer.status).toBe(200);
  return answer.json<{ api_key: string; balance: number; reserved: number; total_spent: number }>();
}

/** Runs one paid request, and holds its charge in the journal against what its account lost. */
export async function bought<T>(
  stack: Stack,
  key: string,
  request: () => Promise<T>,
): Promise<{ answer: T; charge: Charge; remaining: number }> {
  const before = await account(stack, key);
  const known = charges(stack).length;
  const answer = await request();
  const after = await account(stack, key);
  const [charge, ...others] = charges(stack).slice(known);
  expect(others, 'one request, one charge').toEqual([]);
  expect(before.balance - after.balance).toBe(charge!.msat);
  expect(after.reserved).toBe(0);
  return { answer, charge: charge!, remaining: after.balance };
}

/** What the client read is what the journal says: in the cost headers, where there are any, and in `usage`, if there is one. */
export function expectTold(
  { charge, remaining }: { charge: Charge; remaining: number },
  headers: Headers | undefined,
  usage: unknown,
): void {
  if (headers !== undefined) {
    expect(headers.get('x-routstr-cost-msats')).toBe(String(charge.msat));
    expect(headers.get('x-routstr-input-cost-msats')).toBe(String(charge.inputMsat));
    expect(headers.get('x-routstr-output-cost-msats')).toBe(String(charge.outputMsat));
    expect(Number(headers.get('x-routstr-cost-usd'))).toBeGreaterThan(0);
  }
  if (usage === undefined) return;
  const { cost, cost_sats, remaining_balance_msats } = usage as Told;
  expect(cost.total_msats).toBe(charge.msat);
  expect(cost.input_msats + cost.cache_read_msats + cost.cache_creation_msats).toBe(charge.inputMsat);
  expect(cost.output_msats).toBe(charge.outputMsat);
  expect(cost.base_msats + charge.inputMsat + charge.outputMsat).toBe(charge.msat);
  expect(cost_sats).toBe(Math.ceil(charge.msat / 1000));
  expect(remaining_balance_msats).toBe(remaining);
}

/** Every msat that came in is somewhere, and nothing is set aside. */
export async function expectBalanced(stack: Stack): Promise<void> {
  const report = await stack.audit();
  expect(report.violations).toEqual([]);
  expect(report).toMatchObject({ balanced: true, undecided: 0 });
  for (const book of report.books) expect(book).toMatchObject({ difference: 0n, reserved: 0n });
}
