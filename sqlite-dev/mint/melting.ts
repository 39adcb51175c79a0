import { randomBytes, randomUUID } from 'node:crypto';
import { decodeInvoice, type Invoice } from './bolt11.ts';
import { MintError } from './errors.ts';
import { verifyInputs } from './inputs.ts';
import type { BlindSignature, MeltQuoteRequest, MeltRequest, Output } from './messages.ts';
import type { Mint, Trouble } from './mint.ts';
import { msatPer } from './minting.ts';
import { signOutputs, verifyOutputs } from './outputs.ts';
import type { MeltAttempt, MeltQuote } from './quotes.ts';

/** The biggest denomination there is a key for. */
const biggest = 2n ** 40n;

/** What a payment that failed leaves: proofs unspent, the quote as good as new. */
const unpaid = { state: 'UNPAID', attempt: null } as const;

/** NUT-05: what paying an invoice will cost at most. The reserve is 1 %, at least one unit. */
export function createMeltQuote(mint: Mint, request: MeltQuoteRequest) {
  const msat = msatPer(mint, request.unit);
  const invoice = readInvoice(request.request);
  if (invoice.amountMsat === null) throw new MintError('amountless_invoice');
  const amount = (invoice.amountMsat + msat - 1n) / msat;
  if (amount > biggest) throw new MintError('amount_out_of_range');
  const now = Math.floor(mint.now() / 1000);
  if (invoice.expiresAt <= now) throw new MintError('quote_expired', 'the invoice has expired');
  const quote: MeltQuote = {
    kind: 'melt',
    id: randomUUID(),
    unit: request.unit,
    amount: Number(amount),
    feeReserve: Number((amount + 99n) / 100n),
    request: request.request,
    state: 'UNPAID',
    expiry: now + mint.quoteLifetime,
    preimage: null,
    change: [],
    attempt: null,
  };
  mint.store.saveQuote(quote);
  return showMeltQuote(mint, quote);
}

export function readMeltQuote(mint: Mint, id: string) {
  return showMeltQuote(mint, findMeltQuote(mint, id));
}

/**
 * NUT-05, NUT-08: pays the invoice with the inputs and gives back what the payment did not need.
 * A payment that is made to take its time answers PENDING at once, as `prefer_async` asks for.
 */
export function melt(mint: Mint, request: MeltRequest, trouble: Trouble) {
  const quote = findMeltQuote(mint, request.quote);
  if (quote.state === 'PAID') throw new MintError('already_paid');
  if (quote.state === 'PENDING') throw new MintError('quote_pending');
  if (quote.expiry * 1000 <= mint.now()) throw new MintError('quote_expired');
  const blanks = request.outputs ?? [];
  const inputs = verifyInputs(mint, request.inputs, blanks, quote.id);
  const outputs = verifyOutputs(mint, blanks, true);
  if (inputs.unit !== quote.unit) throw new MintError('different_units');
  if (outputs.unit !== undefined && outputs.unit !== quote.unit) throw new MintError('different_units');
  const needed = BigInt(quote.amount) + BigInt(quote.feeReserve) + inputs.fee;
  if (inputs.sum < needed) throw new MintError('unbalanced', `${inputs.sum} given, ${needed} needed`);
  const attempt: MeltAttempt = {
    inputs: inputs.proofs,
    inputFee: Number(inputs.fee),
    outputs: blanks,
    due: mint.now() + (trouble.pendingFor ?? 0),
    outcome: trouble.outcome === 'failed' ? 'failed' : 'paid',
  };
  const pending: MeltQuote = { ...quote, state: 'PENDING', attempt };
  const settled = mint.store.transaction(() => {
    mint.store.saveQuote(pending);
    // Until the payment is decided its proofs are pending, however long that takes, restarts included.
    for (const point of pointsOf(attempt)) mint.store.markPending(point, Number.MAX_SAFE_INTEGER);
    return settleIfDue(mint, pending);
  });
  if (settled.state === 'UNPAID') throw new MintError('payment_failed');
  return showMeltQuote(mint, settled);
}

/** Decides the payments whose time has come. Proofs are pending until then, so it goes before every operation. */
export function settleMelts(mint: Mint): void {
  for (const quote of mint.store.pendingMelts()) mint.store.transaction(() => settleIfDue(mint, quote));
}

/** Call it in a transaction. */
function settleIfDue(mint: Mint, quote: MeltQuote): MeltQuote {
  const { attempt } = quote;
  if (quote.state !== 'PENDING' || attempt === null || attempt.due > mint.now()) return quote;
  for (const point of pointsOf(attempt)) mint.store.clearPending(point);
  const settled = attempt.outcome === 'paid' ? pay(mint, quote, attempt) : { ...quote, ...unpaid };
  mint.store.saveQuote(settled);
  return settled;
}

function pay(mint: Mint, quote: MeltQuote, attempt: MeltAttempt): MeltQuote {
  for (const { y, amount } of attempt.inputs) mint.store.spend(y, quote.unit, amount);
  const routing = BigInt(quote.feeReserve) / 2n;
  const inputFee = BigInt(attempt.inputFee);
  const given = attempt.inputs.reduce((sum, { amount }) => sum + BigInt(amount), 0n);
  const rest = given - inputFee - BigInt(quote.amount) - routing;
  const outputs = fillBlanks(attempt.outputs, rest);
  signOutputs(mint, outputs);
  const returned = outputs.reduce((sum, { amount }) => sum + BigInt(amount), 0n);
  mint.store.addFlow(quote.unit, 'paid_out', BigInt(quote.amount) + routing);
  mint.store.addFlow(quote.unit, 'fees', inputFee + rest - returned);
  return {
    ...quote,
    state: 'PAID',
    preimage: randomBytes(32).toString('hex'),
    change: outputs.map(({ B_ }) => ({ output: B_ })),
  };
}

function pointsOf(attempt: MeltAttempt): string[] {
  return [...attempt.inputs.map(({ y }) => y), ...attempt.outputs.map(({ B_ }) => B_)];
}

/** NUT-08: as much of `rest` as the blanks can carry, biggest denominations first. */
function fillBlanks(blanks: readonly Output[], rest: bigint): Output[] {
  const filled: Output[] = [];
  for (let denomination = biggest; denomination > 0n; denomination /= 2n) {
    for (; denomination <= rest && filled.length < blanks.length; rest -= denomination) {
      filled.push({ ...blanks[filled.length]!, amount: Number(denomination) });
    }
  }
  return filled;
}

function findMeltQuote(mint: Mint, id: string): MeltQuote {
  const quote = mint.store.quote<MeltQuote>('melt', id);
  if (quote === undefined) throw new MintError('unknown_quote');
  return quote;
}

function showMeltQuote(mint: Mint, quote: MeltQuote) {
  const change = quote.change
    .map(({ output }) => mint.store.signature(output, mint.now()))
    .filter((signature): signature is BlindSignature => signature !== undefined);
  return {
    quote: quote.id,
    method: 'bolt11',
    request: quote.request,
    unit: quote.unit,
    amount: quote.amount,
    fee_reserve: quote.feeReserve,
    state: quote.state,
    expiry: quote.expiry,
    payment_preimage: quote.preimage,
    ...(change.length > 0 ? { change } : {}),
  };
}

function readInvoice(request: string): Invoice {
  try {
    return decodeInvoice(request);
  } catch (cause) {
    throw new MintError('invalid_request', cause instanceof Error ? cause.message : 'not an invoice');
  }
}
