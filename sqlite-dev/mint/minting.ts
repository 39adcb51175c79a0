import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { encodeInvoice } from './bolt11.ts';
import { MintError } from './errors.ts';
import type { BlindSignature, MintQuoteRequest, MintRequest } from './messages.ts';
import type { Mint } from './mint.ts';
import { signOutputs, verifyOutputs } from './outputs.ts';
import { isSignedBy } from './quote-signature.ts';
import type { MintQuote } from './quotes.ts';

/** msat in one of a unit. */
export function msatPer(mint: Mint, unit: string): bigint {
  if (!mint.keysets.units().includes(unit)) throw new MintError('unsupported_unit', unit);
  return unit === 'msat' ? 1n : 1000n;
}

/** NUT-04, NUT-20: an invoice that nobody has to pay. */
export function createMintQuote(mint: Mint, request: MintQuoteRequest) {
  const amountMsat = BigInt(request.amount) * msatPer(mint, request.unit);
  const pubkey = request.pubkey ?? null;
  if (pubkey !== null && !/^0[23][0-9a-fA-F]{64}$/.test(pubkey)) throw new MintError('quote_pubkey');
  const createdAt = Math.floor(mint.now() / 1000);
  const quote: MintQuote = {
    kind: 'mint',
    id: randomUUID(),
    unit: request.unit,
    amount: request.amount,
    request: encodeInvoice({
      amountMsat,
      paymentHash: createHash('sha256').update(randomBytes(32)).digest(),
      paymentSecret: randomBytes(32),
      description: request.description ?? '',
      createdAt,
      expiry: mint.quoteLifetime,
      nodeKey: mint.store.seed,
    }),
    pubkey,
    issued: false,
    expiry: createdAt + mint.quoteLifetime,
    updatedAt: createdAt,
  };
  mint.store.saveQuote(quote);
  return showMintQuote(quote);
}

export function readMintQuote(mint: Mint, id: string) {
  return showMintQuote(findMintQuote(mint, id));
}

/** NUT-04: signs what a paid quote is worth, once. A quote that was paid can be claimed after its expiry too. */
export function issue(mint: Mint, request: MintRequest): { signatures: BlindSignature[] } {
  const quote = findMintQuote(mint, request.quote);
  if (quote.issued) throw new MintError('already_issued');
  if (quote.pubkey !== null && !isSignedBy(quote.pubkey, request)) throw new MintError('quote_signature');
  const { unit, sum } = verifyOutputs(mint, request.outputs);
  if (unit !== quote.unit) throw new MintError('different_units');
  if (sum !== BigInt(quote.amount))
    throw new MintError('unbalanced', `the quote is for ${quote.amount}, not ${sum}`);
  return mint.store.transaction(() => {
    mint.store.saveQuote({ ...quote, issued: true, updatedAt: Math.floor(mint.now() / 1000) });
    mint.store.addFlow(quote.unit, 'paid_in', sum);
    return { signatures: signOutputs(mint, request.outputs) };
  });
}

function findMintQuote(mint: Mint, id: string): MintQuote {
  const quote = mint.store.quote<MintQuote>('mint', id);
  if (quote === undefined) throw new MintError('unknown_quote');
  return quote;
}

function showMintQuote(quote: MintQuote) {
  return {
    quote: quote.id,
    request: quote.request,
    method: 'bolt11',
    unit: quote.unit,
    amount: quote.amount,
    amount_paid: quote.amount,
    amount_issued: quote.issued ? quote.amount : 0,
    state: quote.issued ? 'ISSUED' : 'PAID',
    expiry: quote.expiry,
    updated_at: quote.updatedAt,
    pubkey: quote.pubkey,
  };
}
