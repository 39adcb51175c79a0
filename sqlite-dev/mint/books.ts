import type { Mint } from './mint.ts';

/** One unit's books: at the mint nothing appears and nothing vanishes. Amounts in the unit. */
export interface Books {
  /** Σ signatures ever given. */
  issued: number;
  /** Σ proofs ever spent. */
  redeemed: number;
  /** issued − redeemed: what is in wallets now. */
  outstanding: number;
  /** Issued against paid invoices. */
  paidIn: number;
  /** Paid to invoices, routing included. */
  paidOut: number;
  /** Input fees, and change that nobody brought a blank for. */
  fees: number;
  /** paidIn − paidOut − fees − outstanding. 0, or the mint is wrong. */
  difference: number;
}

export function readBooks({ store, keysets }: Mint): Record<string, Books> {
  return Object.fromEntries(
    keysets.units().map((unit) => {
      const issued = store.issued(unit);
      const redeemed = store.redeemed(unit);
      const [paidIn, paidOut, fees] = (['paid_in', 'paid_out', 'fees'] as const).map((kind) =>
        store.flow(unit, kind),
      );
      const books = {
        issued,
        redeemed,
        outstanding: issued - redeemed,
        paidIn: paidIn!,
        paidOut: paidOut!,
        fees: fees!,
        difference: paidIn! - paidOut! - fees! - (issued - redeemed),
      };
      return [unit, mapValues(books)];
    }),
  );
}

function mapValues(books: Record<keyof Books, bigint>): Books {
  return Object.fromEntries(
    Object.entries(books).map(([name, amount]) => [name, Number(amount)]),
  ) as unknown as Books;
}
