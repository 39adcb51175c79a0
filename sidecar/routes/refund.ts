import { randomUUIDv7 } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { refundPublicKey } from '../../cashu/index.ts';
import type { Refund } from '../../ledger/index.ts';
import { readCredential } from '../admission/credential.ts';
import { readRefundAddress } from '../admission/new-key-options.ts';
import type { Context } from '../context.ts';
import { accountRefusals, HttpError } from '../errors.ts';
import { accountOf } from './account-of.ts';
import { jsonBody, smallBody } from './body.ts';

const destination = jsonBody(
  Type.Object({
    lightning_address: Type.Optional(Type.Union([Type.String({ maxLength: 2100 }), Type.Null()])),
  }),
  'Send nothing for a token, or {"lightning_address":"name@domain"}',
);

/**
 * Money on its way back. The request is the debit; the wallet does the rest. Until it has, the answer is 425 with
 * `Retry-After`, and asking again is safe: it is the same refund.
 */
export function refundRoutes(server: FastifyInstance, context: Context): void {
  const { ledger } = context;

  for (const path of ['/v1/balance/refund', '/v1/wallet/refund']) {
    server.post(path, smallBody, async (request) => {
      const credential = readCredential(request.headers);
      if (credential?.kind === 'request') return change(credential.tokenHash);
      const { lightning_address: address } = destination(request);
      const recipient = address == null ? undefined : readRefundAddress(address);
      const { account, key } = await accountOf(request, context);
      const result = await ledger.requestRefund({
        id: randomUUIDv7(),
        account: account.keyHash,
        pubkey: refundPublicKey(key.key),
        ...(recipient !== undefined && { recipient }),
      });
      switch (result.kind) {
        case 'refund':
          return answer(result.refund);
        case 'other_destination':
          throw new HttpError('refund_elsewhere');
        case 'running':
          throw new HttpError('refund_running');
        case 'nothing':
          throw new HttpError('refund_nothing');
        case 'too_small':
          throw new HttpError('refund_too_small');
        case 'refused':
          throw new HttpError(accountRefusals[result.reason]);
      }
    });
  }

  async function change(tokenHash: string): Promise<never> {
    const result = await ledger.requestChange(tokenHash, randomUUIDv7());
    switch (result.kind) {
      case 'refund':
        return answer(result.refund);
      case 'running':
        throw new HttpError('refund_pending', {
          retryAfter: 1,
          message: 'The request is still running; retry shortly.',
        });
      case 'undecided':
        throw new HttpError('refund_pending', { retryAfter: 2 });
      case 'nothing':
      case 'unknown':
        throw new HttpError('refund_not_found');
    }
  }

  function answer(refund: Refund): never {
    if (refund.state === 'swept') throw new HttpError('refund_swept');
    // Minting the token is the wallet's, which alone holds keys.
    throw new HttpError('refund_pending', { retryAfter: 2 });
  }
}
