import type { IncomingHttpHeaders } from 'node:http';

/** What of a client's headers the model may see. Everything else, its credential above all, stays here. */
const forwarded = new Set([
  'accept',
  'content-type',
  'anthropic-version',
  'anthropic-beta',
  'traceparent',
  'tracestate',
]);
const forwardedPrefixes = ['openai-', 'x-stainless-'];

/** Between two hops only (RFC 9110 §7.6.1), or about a server the client doesn't talk to. */
const dropped = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'set-cookie',
  'server',
  'x-powered-by',
  'alt-svc',
  'strict-transport-security',
  // Ours alone to say.
  'x-cashu',
  'x-routstr-request-id',
  'vary',
]);
const droppedPrefixes = ['access-control-', 'x-routstr-'];

/**
 * The headers of the request that goes upstream.
 * @param apiKey the upstream's own credential, sent the way its API family wants it
 */
export function requestHeaders(
  client: IncomingHttpHeaders,
  apiKey: string | undefined,
  bodyLength: number,
): Record<string, string> {
  const hop = hopHeaders(client);
  const headers: Record<string, string> = {};
  for (const name in client) {
    if (hop.has(name)) continue;
    if (!forwarded.has(name) && !forwardedPrefixes.some((prefix) => name.startsWith(prefix))) continue;
    const value = client[name];
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  // A compressed answer could be neither metered nor completed with its cost.
  headers['accept-encoding'] = 'identity';
  if (bodyLength > 0) headers['content-length'] = String(bodyLength);
  if (apiKey !== undefined) {
    headers.authorization = `Bearer ${apiKey}`;
    if ('anthropic-version' in headers) headers['x-api-key'] = apiKey;
  }
  return headers;
}

/** The headers of the model's answer that its client may see. */
export function answerHeaders(upstream: IncomingHttpHeaders): Record<string, string | string[]> {
  const hop = hopHeaders(upstream);
  const headers: Record<string, string | string[]> = {};
  for (const name in upstream) {
    const value = upstream[name];
    if (value === undefined || hop.has(name) || dropped.has(name)) continue;
    if (droppedPrefixes.some((prefix) => name.startsWith(prefix))) continue;
    headers[name] = value;
  }
  return headers;
}

/** Names that `Connection` lists belong to that hop only. undici gives the lines of one that is sent twice as a list. */
function hopHeaders({ connection }: IncomingHttpHeaders): ReadonlySet<string> {
  return connection === undefined
    ? none
    : new Set(
        String(connection)
          .toLowerCase()
          .split(/[\s,]+/),
      );
}

const none: ReadonlySet<string> = new Set();
