import Type, { type Static } from 'typebox';

const port = (description: string, value: number) =>
  Type.Integer({
    minimum: 0,
    maximum: 65535,
    default: value,
    description: `a port number, 0 to 65535: ${description}`,
  });
const seconds = (description: string, value: number) =>
  Type.Number({ minimum: 0.001, maximum: 86_400, default: value, description });
const decimal = '^(0|[1-9][0-9]{0,11})(\\.[0-9]{1,12})?$';
const httpUrl = '^https?://[^\\s/?#@]+(/[^\\s?#]*)?$';

/**
 * Everything the sidecar can be told, under one name each: an environment variable, or the same name in the mounted
 * JSON file. `description` says what a value must be; it is what an error shows, and what `.env.example` is checked by.
 */
export const Settings = Type.Object(
  {
    UPSTREAM_BASE_URL: Type.String({
      pattern: httpUrl,
      description: 'the URL of an OpenAI-compatible API, with its /v1',
    }),
    UPSTREAM_API_KEY: Type.Optional(
      Type.String({ minLength: 1, maxLength: 4096, description: 'the credential the upstream wants' }),
    ),
    UPSTREAM_ENGINE: Type.Optional(
      Type.Union(
        ['openai', 'vllm', 'sglang', 'llamacpp', 'ollama'].map((engine) => Type.Literal(engine)),
        { description: 'openai, vllm, sglang, llamacpp or ollama: which usage and length options it takes' },
      ),
    ),
    UPSTREAM_TIMEOUT: seconds('seconds the upstream may stay silent before it counts as broken', 300),

    CASHU_MINTS: Type.Array(Type.String({ pattern: httpUrl }), {
      minItems: 1,
      maxItems: 32,
      description: 'mint URLs, comma-separated; tokens of other mints are refused',
    }),
    WALLET_PUBLIC_KEY: Type.String({
      pattern: '^0[23][0-9a-f]{64}$',
      description: 'a compressed secp256k1 public key in hex: what is redeemed is locked to it (NUT-11)',
    }),
    WALLET_VIEW_KEY: Type.Optional(
      Type.String({
        pattern: '^[0-9a-f]{64}$',
        description: '32 bytes in hex: lets the wallet find locked money without the database',
      }),
    ),
    MAX_EXPOSURE_SATS: Type.Optional(
      Type.Integer({ minimum: 1, description: 'the most sats to hold at one mint' }),
    ),
    REDEMPTIONS_PER_MINUTE: Type.Integer({
      minimum: 1,
      default: 60,
      description: 'new tokens one client address may bring in a minute',
    }),
    MINT_REDEMPTIONS_PER_SECOND: Type.Number({
      minimum: 1,
      maximum: 10_000,
      default: 10,
      description: 'tokens a second that one mint is asked to swap, at least 1',
    }),

    MODELS_PATH: Type.String({
      default: 'models.json',
      description: 'the catalogue; models.example.json stands in when the default is missing',
    }),
    MODEL_BASED_PRICING: Type.Boolean({
      default: true,
      description: 'true: by tokens, by the catalogue; false: FIXED_COST_PER_REQUEST for each request',
    }),
    FIXED_COST_PER_REQUEST: Type.String({
      pattern: decimal,
      default: '1',
      description: 'a decimal number of sats, the price of a request when MODEL_BASED_PRICING is false',
    }),
    MARGIN_PERCENT: Type.String({
      pattern: decimal,
      default: '0',
      description: 'a decimal number, at least 0: what is added to the catalogue’s prices',
    }),
    MIN_REQUEST_MSAT: Type.Integer({
      minimum: 0,
      default: 1,
      description: 'a whole number of msat, the least that is held for a request',
    }),
    CHILD_KEY_COST_MSAT: Type.Integer({
      minimum: 0,
      default: 1000,
      description: 'a whole number of msat, the price of making a child key',
    }),
    BTC_USD: Type.Optional(
      Type.String({ pattern: decimal, description: 'a static Bitcoin price in USD, as a decimal' }),
    ),

    DATABASE_URL: Type.String({
      pattern: '^[a-z]+:',
      default: 'sqlite:///var/lib/routstr/ledger.sqlite',
      description: 'sqlite:///path',
    }),
    PROVIDER: Type.String({
      pattern: '^[A-Za-z0-9._/-]{1,190}$',
      default: 'default',
      description: 'who earns, in the ledger: cluster-id/namespace/name',
    }),

    HOST: Type.String({ default: '0.0.0.0', description: 'the address to listen on' }),
    PORT: port('the paid port', 8402),
    ADMIN_PORT: port('the port of /livez, /readyz and /metrics', 8403),
    DRAIN_PORT: port('the port of /drain', 8404),
    DRAIN_TOKEN: Type.Optional(
      Type.String({
        minLength: 8,
        description:
          'at least 8 characters: what x-routstr-drain must carry; without it only this machine may drain',
      }),
    ),
    DRAIN_DEADLINE: seconds('seconds running requests get when the server drains', 15),
    DRAIN_PROPAGATION: Type.Number({
      minimum: 0,
      maximum: 600,
      default: 0,
      description: 'seconds to go on serving after readiness went off, until endpoints follow',
    }),

    NAME: Type.String({ maxLength: 200, default: 'Routstr provider', description: 'a name for /v1/info' }),
    DESCRIPTION: Type.String({ maxLength: 4000, default: '', description: 'a text for /v1/info' }),
    NPUB: Type.Optional(Type.String({ pattern: '^npub1[0-9a-z]{58}$', description: 'a Nostr public key' })),
    HTTP_URL: Type.Optional(Type.String({ pattern: httpUrl, description: 'the public URL' })),
    ONION_URL: Type.Optional(Type.String({ pattern: httpUrl, description: 'the onion URL' })),
    TRUST_PROXY: Type.Array(Type.String({ pattern: '^[0-9a-fA-F.:]+(/[0-9]{1,3})?$' }), {
      default: [],
      description: 'addresses or CIDRs of proxies whose X-Forwarded-For is believed, comma-separated',
    }),
    CORS_ORIGINS: Type.Array(Type.String(), {
      default: ['*'],
      description: 'origins that browsers may call from, comma-separated, or *',
    }),

    BODY_LIMIT_BYTES: Type.Integer({
      minimum: 1024,
      maximum: 1 << 30,
      default: 32 << 20,
      description: 'the largest request body',
    }),
    ANSWER_LIMIT_BYTES: Type.Integer({
      minimum: 1024,
      maximum: 1 << 30,
      default: 64 << 20,
      description: 'the largest answer that is not a stream',
    }),
    MEMORY_LIMIT_BYTES: Type.Integer({
      minimum: 1 << 20,
      default: 256 << 20,
      description: 'bytes of all bodies held in memory at once',
    }),
    CONCURRENCY: Type.Integer({
      minimum: 1,
      maximum: 100_000,
      default: 1024,
      description: 'requests that may run at once',
    }),
    EXTRA_PATHS: Type.Array(
      Type.Object(
        {
          path: Type.String({ pattern: '^/[A-Za-z0-9._/-]{1,200}$' }),
          method: Type.Union([Type.Literal('POST'), Type.Literal('GET')], { default: 'POST' }),
          sats: Type.String({ pattern: decimal }),
        },
        { additionalProperties: false },
      ),
      {
        maxItems: 32,
        default: [],
        description: 'further paths to sell, as JSON: [{"path":"/v1/pooling","sats":"2"}]',
      },
    ),
    LOG_LEVEL: Type.Union(
      ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'].map((level) => Type.Literal(level)),
      { default: 'info', description: 'fatal, error, warn, info, debug, trace or silent' },
    ),
  },
  { additionalProperties: false },
);

export type Settings = Static<typeof Settings>;
export type SettingName = keyof Settings;

/** What is looked at once, when the process starts. A changed file changes everything else while it runs. */
export const needsRestart: ReadonlySet<SettingName> = new Set<SettingName>([
  'UPSTREAM_BASE_URL',
  'UPSTREAM_TIMEOUT',
  'WALLET_PUBLIC_KEY',
  'WALLET_VIEW_KEY',
  'MAX_EXPOSURE_SATS',
  'MINT_REDEMPTIONS_PER_SECOND',
  'MODELS_PATH',
  'DATABASE_URL',
  'PROVIDER',
  'HOST',
  'PORT',
  'ADMIN_PORT',
  'DRAIN_PORT',
  'DRAIN_TOKEN',
  'TRUST_PROXY',
  'CORS_ORIGINS',
  'BODY_LIMIT_BYTES',
  'EXTRA_PATHS',
  'LOG_LEVEL',
]);
