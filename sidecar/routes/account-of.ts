import type { FastifyRequest } from 'fastify';
import type { Account } from '../../ledger/index.ts';
import { type Credential, readCredential } from '../admission/credential.ts';
import { readNewKeyOptions } from '../admission/new-key-options.ts';
import type { Context } from '../context.ts';
import { HttpError } from '../errors.ts';

type KeyCredential = Exclude<Credential, { kind: 'request' }>;

/**
 * The credential of a balance path, where `X-Cashu` has no business.
 * @throws HttpError `missing_api_key`, `invalid_api_key`
 */
function keyCredential(request: FastifyRequest): KeyCredential {
  const credential = readCredential(request.headers);
  if (!credential) throw new HttpError('missing_api_key');
  if (credential.kind === 'request') {
    throw new HttpError('invalid_api_key', {
      message: 'X-Cashu pays for one inference request; send the token as Bearer here',
    });
  }
  return credential;
}

/**
 * The account behind the request's credential. A token that is not known yet is redeemed.
 * @throws HttpError `missing_api_key`, `invalid_api_key`, or what became of the token
 */
export async function accountOf(
  request: FastifyRequest,
  context: Context,
): Promise<{ account: Account; key: KeyCredential }> {
  const { ledger, admission, offer, now, signal } = context;
  const key = keyCredential(request);
  const provider = offer().settings.PROVIDER;
  const known = await ledger.account(key.keyHash, provider);
  if (known) return { account: known, key };
  if (key.kind === 'key') throw new HttpError('invalid_api_key');
  const options = readNewKeyOptions(
    request.headers['key-expiry-time'],
    request.headers['refund-lnurl'],
    now(),
  );
  await admission.open(key, options, request.ip, signal);
  const account = await ledger.account(key.keyHash, provider);
  if (!account) throw new HttpError('cashu_redemption_pending', { retryAfter: 2 });
  return { account, key };
}
