import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { MintError } from './errors.ts';
import { info, keys, listKeysets } from './info.ts';
import { createMeltQuote, melt, readMeltQuote } from './melting.ts';
import {
  CheckStateRequest,
  MeltQuoteRequest,
  MeltRequest,
  MintQuoteRequest,
  MintRequest,
  RestoreRequest,
  SwapRequest,
} from './messages.ts';
import type { Mint, Trouble } from './mint.ts';
import { createMintQuote, issue, readMintQuote } from './minting.ts';
import { checkState, restore } from './recovery.ts';
import { swap } from './swap.ts';

interface Call {
  /** The last segment of the path, where the route has an `{id}`. */
  id: string;
  body: unknown;
  trouble: Trouble;
  /** Seconds; null without NUT-19. */
  cachedFor: number | null;
}

export interface Route {
  /** As in `Fault.path`. */
  name: string;
  run(mint: Mint, call: Call): unknown;
}

function get(path: string, run: Route['run']): Route {
  return { name: `GET ${path}`, run };
}

function post<S extends TSchema>(
  path: string,
  schema: S,
  run: (mint: Mint, body: Static<S>, trouble: Trouble) => unknown,
): Route {
  const check = parser(schema);
  return { name: `POST ${path}`, run: (mint, call) => run(mint, check(call.body), call.trouble) };
}

/** @returns a function that lets only what fits the schema through, and throws MintError `invalid_request` otherwise */
export function parser<S extends TSchema>(schema: S): (body: unknown) => Static<S> {
  const validator = Compile(schema);
  return (body) => {
    if (validator.Check(body)) return body as Static<S>;
    const [first] = validator.Errors(body);
    throw new MintError(
      'invalid_request',
      `${first?.instancePath || 'the body'} ${first?.message}`.slice(0, 200),
    );
  };
}

const routes: readonly Route[] = [
  get('/v1/info', (mint, { cachedFor }) => info(mint, cachedFor)),
  get('/v1/keys', (mint) => keys(mint)),
  get('/v1/keys/{id}', (mint, { id }) => keys(mint, id)),
  get('/v1/keysets', (mint) => listKeysets(mint)),
  post('/v1/swap', SwapRequest, swap),
  post('/v1/mint/quote/bolt11', MintQuoteRequest, createMintQuote),
  get('/v1/mint/quote/bolt11/{id}', (mint, { id }) => readMintQuote(mint, id)),
  post('/v1/mint/bolt11', MintRequest, issue),
  post('/v1/melt/quote/bolt11', MeltQuoteRequest, createMeltQuote),
  get('/v1/melt/quote/bolt11/{id}', (mint, { id }) => readMeltQuote(mint, id)),
  post('/v1/melt/bolt11', MeltRequest, melt),
  post('/v1/checkstate', CheckStateRequest, checkState),
  post('/v1/restore', RestoreRequest, restore),
];

const byName: ReadonlyMap<string, Route> = new Map(routes.map((route) => [route.name, route]));

/** @throws MintError `unknown_path` */
export function findRoute(method: string, path: string): { route: Route; id: string } {
  const exact = byName.get(`${method} ${path}`);
  if (exact) return { route: exact, id: '' };
  const slash = path.lastIndexOf('/');
  const route = byName.get(`${method} ${path.slice(0, slash)}/{id}`);
  if (route === undefined) throw new MintError('unknown_path');
  return { route, id: path.slice(slash + 1) };
}
