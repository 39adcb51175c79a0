import type { FastifyInstance } from 'fastify';
import type { Catalogue } from '../../pricing/catalogue.ts';
import { publicModel } from '../../pricing/public-model.ts';
import type { Rate } from '../../pricing/rate.ts';
import type { Context } from '../context.ts';
import { HttpError } from '../errors.ts';
import type { Offer } from '../offer.ts';
import { inferencePaths } from '../paths.ts';

/** Who sells here and what. Free, and without a credential. */
export function infoRoutes(server: FastifyInstance, { offer }: Context, version: string): void {
  server.get('/v1/info', async () => {
    const { settings, mints, extraPaths } = offer();
    return {
      name: settings.NAME,
      description: settings.DESCRIPTION,
      version,
      npub: settings.NPUB ?? null,
      mints,
      http_url: settings.HTTP_URL ?? null,
      onion_url: settings.ONION_URL ?? null,
      child_key_cost_msats: settings.CHILD_KEY_COST_MSAT,
      supported_endpoints: [...inferencePaths, ...extraPaths.map(({ path }) => path)],
    };
  });

  const modelList = modelLists(offer);
  for (const path of ['/v1/models', '/models']) {
    server.get(path, async (_, reply) => {
      return reply.type('application/json; charset=utf-8').send(modelList());
    });
    server.get<{ Params: { '*': string } }>(`${path}/*`, async (request) => {
      const { catalogue, rates } = offer();
      const model = catalogue.find(request.params['*']);
      if (!model)
        throw new HttpError('invalid_model', {
          status: 404,
          message: `Model '${request.params['*']}' not found`,
        });
      return publicModel(model, rates.current());
    });
  }

  // Found on Nostr by the wallet; without one nobody else is known.
  for (const path of ['/v1/providers', '/v1/providers/']) server.get(path, async () => ({ providers: [] }));
}

/** Made once for each catalogue and rate: it is asked for by anyone, and can be long. */
function modelLists(offer: () => Offer): () => string {
  let made: { catalogue: Catalogue; rate: Rate | undefined; json: string } | undefined;
  return () => {
    const { catalogue, rates } = offer();
    const rate = rates.current();
    if (made?.catalogue !== catalogue || made.rate?.version !== rate?.version) {
      const data = catalogue.models.map((model) => publicModel(model, rate));
      made = { catalogue, rate, json: JSON.stringify({ object: 'list', data }) };
    }
    return made.json;
  };
}
