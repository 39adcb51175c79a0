import { createHash, randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { hashOfKey, previewOf } from '../admission/credential.ts';
import type { Context } from '../context.ts';
import { accountRefusals, HttpError } from '../errors.ts';
import { accountOf } from './account-of.ts';
import { jsonBody, smallBody } from './body.ts';
import { unixSeconds } from './unix-seconds.ts';

const wanted = jsonBody(
  Type.Object({
    amount_sats: Type.Integer({ minimum: 1, maximum: 100_000_000 }),
    purpose: Type.Union([Type.Literal('create'), Type.Literal('topup')]),
  }),
  'Send {"amount_sats":1000,"purpose":"create"} or, with your key, "topup"',
);

/** How long a client waits for an invoice, ms; the wallet leaves an older wish alone. */
const wantedFor = 60_000;

/** Lightning top-ups. The wallet makes the invoice; without one the answer is 503 with `Retry-After`. */
export function lightningRoutes(server: FastifyInstance, context: Context): void {
  const { ledger, limits, offer, now } = context;

  for (const base of ['/lightning', '/v1/balance/lightning']) {
    server.post(`${base}/invoice`, smallBody, async (request) => {
      const { amount_sats, purpose } = wanted(request);
      const wait = limits.take(request.ip);
      if (wait > 0) throw new HttpError('rate_limited', { retryAfter: wait });
      const id = randomBytes(16).toString('hex');
      const key = keyOfInvoice(id);
      const payee =
        purpose === 'topup'
          ? (await accountOf(request, context)).account
          : { keyHash: hashOfKey(key), preview: previewOf(key) };
      const { settings, mints } = offer();
      const result = await ledger.requestInvoice({
        idHash: hashOfInvoice(id),
        purpose,
        account: payee.keyHash,
        preview: payee.preview,
        provider: settings.PROVIDER,
        mints,
        amount: BigInt(amount_sats) * 1000n,
        wantedUntil: now() + wantedFor,
      });
      if (result.kind === 'refused') throw new HttpError(accountRefusals[result.reason]);
      throw new HttpError('wallet_unavailable', { retryAfter: 5 });
    });

    server.get<{ Params: { id: string } }>(`${base}/invoice/:id/status`, async (request) => {
      const { id } = request.params;
      const invoice = /^[0-9a-f]{32}$/.test(id) ? await ledger.invoice(hashOfInvoice(id)) : undefined;
      if (!invoice) throw new HttpError('invoice_not_found');
      return {
        status: invoice.state === 'requested' ? 'pending' : invoice.state,
        api_key: invoice.purpose === 'create' && invoice.state === 'paid' ? keyOfInvoice(id) : null,
        amount_sats: Number(invoice.amount / 1000n),
        paid_at: unixSeconds(invoice.paidAt),
        created_at: unixSeconds(invoice.createdAt),
        expires_at: unixSeconds(invoice.expiresAt),
      };
    });
  }
}

/** The key that a paid `create` invoice makes: known to who holds the invoice's id, and to nobody else. */
function keyOfInvoice(id: string): string {
  return `sk-${createHash('sha256').update(`lightning${id}`).digest('hex')}`;
}

function hashOfInvoice(id: string): string {
  return createHash('sha256').update(id).digest('hex');
}
