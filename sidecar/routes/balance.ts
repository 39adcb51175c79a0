import { randomBytes, randomUUIDv7 } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import Type, { type Static } from 'typebox';
import type { Account, KeyLimits } from '../../ledger/index.ts';
import { hashOfKey, keyOfToken, previewOf, readCredential, readToken } from '../admission/credential.ts';
import { readNewKeyOptions } from '../admission/new-key-options.ts';
import { paymentRequired } from '../admission/payment-required.ts';
import type { Context } from '../context.ts';
import { accountRefusals, HttpError } from '../errors.ts';
import { accountOf } from './account-of.ts';
import { jsonBody, smallBody } from './body.ts';
import { unixSeconds } from './unix-seconds.ts';

const limits = Type.Object({
  balance_limit: Type.Optional(
    Type.Union([Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }), Type.Null()]),
  ),
  balance_limit_reset: Type.Optional(
    Type.Union([Type.Literal('daily'), Type.Literal('weekly'), Type.Literal('monthly'), Type.Null()]),
  ),
  validity_date: Type.Optional(
    Type.Union([Type.Integer({ minimum: 0, maximum: 253_402_300_799 }), Type.Null()]),
  ),
});

const create = jsonBody(
  Type.Object({
    initial_balance_token: Type.String({ minLength: 1 }),
    ...limits.properties,
    refund_address: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    key_expiry_time: Type.Optional(Type.Union([Type.Integer(), Type.Null()])),
  }),
  'Send {"initial_balance_token":"cashu…"}, with balance_limit (msat), balance_limit_reset, validity_date (Unix s), refund_address and key_expiry_time (Unix s) if you like',
);
const topup = jsonBody(
  Type.Object({ cashu_token: Type.Optional(Type.String()) }),
  'A cashu_token is required.',
);
const children = jsonBody(
  Type.Object({ count: Type.Integer({ minimum: 1, maximum: 50 }), ...limits.properties }),
  'Send {"count":1…50}, with balance_limit (msat), balance_limit_reset and validity_date (Unix s) if you like',
);
const reset = jsonBody(
  Type.Object({ child_key: Type.String({ minLength: 1, maxLength: 200 }) }),
  'Send {"child_key":"sk-…"}',
);

/** Keys and what is on them, under `/v1/balance` and `/v1/wallet`. */
export function balanceRoutes(server: FastifyInstance, context: Context): void {
  const { ledger, admission, offer, now, signal } = context;

  for (const base of ['/v1/balance', '/v1/wallet']) {
    for (const path of [base, `${base}/`, `${base}/info`]) {
      server.get(path, async (request) => {
        const { account, key } = await accountOf(request, context);
        const ofParent =
          account.parent === null ? await ledger.children(account.keyHash, offer().settings.PROVIDER) : [];
        return {
          ...accountJson(account, key.key),
          ...(ofParent.length > 0 && {
            child_keys: ofParent.map((child) => accountJson(child, `${child.preview}…`)),
          }),
        };
      });
    }

    server.post(`${base}/create`, smallBody, async (request) => {
      const body = create(request);
      const token = readToken(body.initial_balance_token);
      const key = keyOfToken(token);
      const options = {
        ...readNewKeyOptions(body.key_expiry_time, body.refund_address, now()),
        ...limitsOf(body),
      };
      if (options.validUntil !== undefined && options.validUntil <= now()) {
        throw new HttpError('invalid_request', { message: 'The key’s validity_date is in the past' });
      }
      const credential = { kind: 'token' as const, token, key, keyHash: hashOfKey(key) };
      await admission.open(credential, options, request.ip, signal);
      const account = await ledger.account(credential.keyHash, offer().settings.PROVIDER);
      return { api_key: key, balance: Number(account?.available ?? 0n) };
    });

    server.post(`${base}/topup`, smallBody, async (request) => {
      const { cashu_token: sent } = topup(request);
      if (!sent) throw new HttpError('invalid_request', { message: 'A cashu_token is required.' });
      const token = readToken(sent);
      const { account } = await accountOf(request, context);
      const msats = await admission.topUp(account.keyHash, token, request.ip, signal);
      return { msats: Number(msats) };
    });

    server.get<{ Querystring: { limit?: string } }>(`${base}/history`, async (request) => {
      const { account } = await accountOf(request, context);
      const limit = Math.min(Math.max(Number.parseInt(request.query.limit ?? '', 10) || 100, 1), 1000);
      const transactions = await ledger.history(account.keyHash, limit);
      return {
        transactions: transactions.map((entry) => ({
          id: entry.id,
          type: entry.type,
          source: entry.source,
          amount: Number(entry.amount),
          unit: 'msat',
          mint_url: entry.mint,
          created_at: Math.floor(entry.createdAt / 1000),
          collected: entry.collected,
          swept: entry.swept,
        })),
      };
    });

    server.post(`${base}/child-key`, smallBody, async (request) => {
      const body = children(request);
      const { account } = await accountOf(request, context);
      if (account.parent !== null) throw new HttpError('child_key');
      const { settings, mints } = offer();
      const keys = Array.from({ length: body.count }, () => `sk-${randomBytes(32).toString('hex')}`);
      const cost = BigInt(settings.CHILD_KEY_COST_MSAT) * BigInt(body.count);
      const result = await ledger.createChildren({
        parent: account.keyHash,
        provider: settings.PROVIDER,
        mints,
        cost,
        reference: randomUUIDv7(),
        children: keys.map((key) => ({
          keyHash: hashOfKey(key),
          preview: previewOf(key),
          ...limitsOf(body),
        })),
      });
      if (result.kind === 'refused') {
        if (result.reason === 'insufficient' || result.reason === 'limit') {
          const code = result.reason === 'limit' ? 'balance_limit_exceeded' : 'insufficient_balance';
          throw paymentRequired(code, {
            required: cost,
            available: result.available,
            mints,
          });
        }
        throw new HttpError(accountRefusals[result.reason]);
      }
      return {
        api_keys: keys,
        count: keys.length,
        cost_msats: Number(cost),
        cost_sats: Number(cost / 1000n),
        parent_balance: Number(result.parentAvailable),
        parent_balance_sats: Number(result.parentAvailable / 1000n),
      };
    });

    server.post(`${base}/child-key/reset`, smallBody, async (request) => {
      const { account } = await accountOf(request, context);
      const child = readCredential({ authorization: `Bearer ${reset(request).child_key}` });
      const done =
        child?.kind === 'key' && (await ledger.resetChild(account.keyHash, child.keyHash)) === 'reset';
      if (!done)
        throw new HttpError('invalid_request', { status: 404, message: 'This is not a child of your key' });
      return { success: true, message: 'The child key’s limit starts again' };
    });
  }
}

function limitsOf({ balance_limit, balance_limit_reset, validity_date }: Static<typeof limits>): KeyLimits {
  return {
    ...(balance_limit != null && { limit: BigInt(balance_limit) }),
    ...(balance_limit_reset != null && { limitReset: balance_limit_reset }),
    ...(validity_date != null && { validUntil: validity_date * 1000 }),
  };
}

function accountJson(account: Account, apiKey: string) {
  return {
    api_key: apiKey,
    balance: Number(account.available),
    reserved: Number(account.reserved),
    is_child: account.parent !== null,
    total_requests: account.requests,
    total_spent: Number(account.spent),
    balance_limit: account.limit === null ? null : Number(account.limit),
    balance_limit_reset: account.limitReset,
    validity_date: unixSeconds(account.validUntil),
    refund_address: account.refundAddress,
    key_expiry_time: unixSeconds(account.expiresAt),
  };
}
