/** One request of each kind that is good as it is: what the fuzzers damage. */
export interface ValidRequest {
  path: string;
  body: string;
}

const json = (path: string, body: object): ValidRequest => ({ path, body: JSON.stringify(body) });

const conversation = [
  { role: 'system', content: 'Be brief.' },
  {
    role: 'user',
    content: [
      { type: 'text', text: 'What is this?' },
      { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } },
    ],
  },
  {
    role: 'assistant',
    content: null,
    tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{"at":1}' } }],
  },
  { role: 'tool', tool_call_id: 'c1', content: 'a cat' },
];
const tool = {
  type: 'function',
  function: { name: 'look', parameters: { type: 'object', properties: { at: { type: 'integer' } } } },
};

/** What is for sale and sent as JSON. */
export const inferenceRequests: readonly ValidRequest[] = [
  json('/v1/chat/completions', {
    model: 'stub-chat',
    messages: [{ role: 'user', content: 'hello' }],
    max_tokens: 5,
  }),
  json('/v1/chat/completions', {
    model: 'stub-chat',
    stream: true,
    messages: conversation,
    max_completion_tokens: 4,
    tools: [tool],
    n: 2,
  }),
  json('/chat/completions', {
    messages: [{ role: 'user', content: 'hello' }],
    model: 'stub-sats',
    stream: true,
    stream_options: { include_usage: false },
    max_tokens: 3,
  }),
  json('/v1/completions', {
    model: 'stub-instruct',
    prompt: ['once', 'twice'],
    max_tokens: 4,
    best_of: 2,
    stream: false,
  }),
  json('/v1/completions', { model: 'stub-instruct', prompt: [1, 2, 3], max_tokens: 4, stream: true }),
  json('/v1/embeddings', { model: 'stub-embedding', input: ['one', 'two'], encoding_format: 'float' }),
  json('/v1/embeddings', { model: 'stub-embedding', input: [[1, 2], [3]], dimensions: 4 }),
  json('/v1/responses', {
    model: 'stub-chat',
    input: [{ role: 'user', content: [{ type: 'input_text', text: 'hello' }] }],
    instructions: 'Be brief.',
    max_output_tokens: 6,
    store: false,
  }),
  json('/v1/responses', { model: 'stub-chat', input: 'hello', stream: true, max_output_tokens: 3 }),
  json('/v1/messages', {
    model: 'stub-chat',
    system: [{ type: 'text', text: 'Be brief.' }],
    messages: [{ role: 'user', content: 'hello' }],
    max_tokens: 7,
  }),
  json('/v1/messages', {
    model: 'stub-chat',
    messages: [{ role: 'user', content: 'hello' }],
    max_tokens: 3,
    stream: true,
  }),
  json('/v1/images/generations', { model: 'stub-image', prompt: 'a cat', n: 2, size: '1024x1024' }),
  json('/v1/audio/speech', { model: 'stub-speech', input: 'hello there', voice: 'alloy', speed: 1.5 }),
  json('/v1/moderations', { model: 'stub-moderation', input: ['hello', 'there'] }),
  json('/v1/rerank', {
    model: 'stub-rerank',
    query: 'cats',
    documents: ['a cat', { text: 'a dog' }],
    top_n: 1,
  }),
];

/** What is about keys and money. Nothing here reaches a model. */
export const balanceRequests: readonly ValidRequest[] = [
  json('/v1/balance/create', {
    initial_balance_token: 'cashuBo2FteA',
    refund_address: 'me@example.com',
    key_expiry_time: 4_000_000_000,
  }),
  json('/v1/wallet/topup', { cashu_token: 'cashuBo2FteA' }),
  json('/v1/wallet/refund', { lightning_address: 'me@example.com' }),
  json('/v1/balance/child-key', {
    count: 2,
    balance_limit: 1000,
    balance_limit_reset: 'daily',
    validity_date: 4_000_000_000,
  }),
  json('/v1/balance/child-key/reset', { child_key: `sk-${'0'.repeat(64)}` }),
  json('/lightning/invoice', { amount_sats: 100, purpose: 'topup' }),
];
