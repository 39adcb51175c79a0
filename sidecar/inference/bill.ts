import type { ChargeMemo, SettleResult } from '../../ledger/index.ts';
import type { Cost } from '../../pricing/cost.ts';
import type { Usage } from '../../pricing/usage.ts';
import type { CostFields } from '../metering/cost-fields.ts';
import type { Metrics } from '../metrics.ts';
import type { Order } from './order.ts';

type Sold = Pick<Order, 'path' | 'sale'>;

/** What a request cost, for the ledger, the journal and the client. */
export interface Bill {
  usage: Usage;
  cost: Cost;
  memo: ChargeMemo;
}

/** @param estimated the upstream did not say what was used: it was counted here */
export function billFor(order: Sold, usage: Usage, estimated: boolean): Bill {
  const cost = order.sale.cost(usage);
  return {
    usage,
    cost,
    memo: {
      model: order.sale.name,
      path: order.path,
      inputMsat: cost.inputMsat + cost.cacheReadMsat + cost.cacheWriteMsat,
      outputMsat: cost.outputMsat,
      inputTokens: usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens,
      outputTokens: usage.outputTokens,
      estimated,
    },
  };
}

/**
 * The bill by what the upstream says was used. When that would make a request free that has a price (it counted nothing,
 * or in seconds what is sold by the token), it is billed as counted here.
 */
export function billStated(
  order: Sold,
  { usage, estimated }: { usage: Usage; estimated: boolean },
  counted: () => Usage,
): Bill {
  const stated = billFor(order, usage, estimated);
  if (estimated || stated.cost.totalMsat > 0n) return stated;
  const own = billFor(order, counted(), true);
  return own.cost.totalMsat > 0n ? own : stated;
}

/** A bill for the prompt alone: a client that leaves before an answer has bought that much. */
export function promptBill(order: Order): Bill {
  return billFor(order, order.counted, true);
}

/** What was really charged, for the answer: the ledger's word, where it has answered already. */
export function chargeOf({ cost }: Bill, settled: SettleResult | undefined): CostFields {
  if (settled?.kind !== 'settled') return { cost, chargedMsat: cost.totalMsat, remainingMsat: undefined };
  return { cost, chargedMsat: settled.charged, remainingMsat: settled.available };
}

export function noteCharge(
  metrics: Metrics,
  order: Order,
  bill: Bill,
  settled: SettleResult | undefined,
): void {
  const { chargedMsat } = chargeOf(bill, settled);
  metrics.charged.inc({ endpoint: order.path, estimated: String(bill.memo.estimated) }, Number(chargedMsat));
  if (settled?.kind === 'settled' && settled.shortfall > 0n) metrics.shortfall.inc(Number(settled.shortfall));
}
