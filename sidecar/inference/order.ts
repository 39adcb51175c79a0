import type { FastifyRequest } from 'fastify';
import type { Usage } from '../../pricing/usage.ts';
import type { ApiFamily } from '../body/api-family.ts';
import { readRequest } from '../body/read-request.ts';
import type { RequestFacts } from '../body/request-facts.ts';
import { rewriteRequest } from '../body/rewrite-request.ts';
import { HttpError } from '../errors.ts';
import { NOTHING } from '../metering/usage.ts';
import type { ExtraPath, Offer } from '../offer.ts';
import type { Settings } from '../settings.ts';
import { fixedSale, type Sale, saleOf } from './sale.ts';

/** A request, read and priced: all that is known of it before anybody has paid. */
export interface Order {
  /** As on the allow-list, with its `/v1`. */
  path: string;
  /** With its `?`, on the provider's own paths only; else empty. */
  query: string;
  method: 'POST' | 'GET';
  family: ApiFamily;
  facts: RequestFacts;
  sale: Sale;
  /** msat to set aside. */
  amount: bigint;
  /** What goes upstream: the client's bytes, ours spliced in. */
  body: readonly Buffer[];
  /** What is billed for the prompt when the upstream does not count it: never more than the hold assumed. */
  counted: Usage;
  /** The most output tokens it can have, all copies together. */
  mostOutput: number;
}

/** These answer in tokens, so their length must be bounded. */
const completing: ReadonlySet<ApiFamily> = new Set(['chat', 'completions', 'responses', 'messages']);

/**
 * Prices a request by the catalogue.
 * @throws RequestError, HttpError `invalid_model`, `invalid_request`; PriceUnavailableError
 */
export function readOrder(request: FastifyRequest, path: string, offer: Offer): Order {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const facts = readRequest(path, request.headers['content-type'], body);
  const model = offer.catalogue.find(facts.model);
  if (!model) throw new HttpError('invalid_model', { message: `Model '${shown(facts.model)}' not found` });
  const longest = model.maxCompletionTokens;
  if (facts.maxTokens !== undefined && completing.has(facts.family) && facts.maxTokens > longest) {
    throw new HttpError('invalid_request', {
      message: `max_tokens can be at most ${longest} for ${model.id}`,
    });
  }
  const outputTokens = completing.has(facts.family) ? (facts.maxTokens ?? longest) : 0;
  const sale = saleOf(model, offer.rates.current(), offer.catalogue.version);
  const amount = sale.hold({
    inputTokens: facts.estimateInput,
    outputTokens,
    copies: facts.copies,
    images: facts.images,
    audioSeconds: facts.audioSeconds,
  });
  const { UPSTREAM_ENGINE: engine } = offer.settings;
  return {
    path,
    query: '',
    method: 'POST',
    family: facts.family,
    facts,
    sale,
    amount,
    body: rewriteRequest(body, facts, {
      includeUsage: true,
      continuousUsage: countsAsItGoes(engine),
      // OpenAI's own reasoning models refuse max_tokens; some other servers ignore the newer name.
      ...(engine === 'openai' && { chatLimit: 'max_completion_tokens' }),
      ...(completing.has(facts.family) && facts.maxTokens === undefined && { maxTokens: longest }),
    }),
    mostOutput: outputTokens * facts.copies,
    counted: {
      // The hold assumes three characters a token, to be on the safe side; most texts have four.
      ...NOTHING,
      inputTokens: Math.round((facts.estimateInput * 3) / 4),
      audioSeconds: facts.audioSeconds,
    },
  };
}

/** A request on one of the provider's own paths. Its body is not read. */
export function readExtraOrder(request: FastifyRequest, extra: ExtraPath, offer: Offer): Order {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const facts = readRequest(extra.path, request.headers['content-type'], body);
  const sale = fixedSale(extra.path, extra.price, offer.catalogue.version);
  return {
    path: extra.path,
    query: /\?[^#]*$/.exec(request.raw.url ?? '')?.[0] ?? '',
    method: extra.method,
    family: 'extra',
    facts,
    sale,
    amount: extra.price,
    body: [body],
    mostOutput: 0,
    counted: NOTHING,
  };
}

/** vLLM and SGLang can say in every event what was used so far, so a cut stream is billed to the token. */
function countsAsItGoes(engine: Settings['UPSTREAM_ENGINE']): boolean {
  return engine === 'vllm' || engine === 'sglang';
}

function shown(model: string): string {
  return model.slice(0, 100);
}
