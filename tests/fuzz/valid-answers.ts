import type { ApiFamily } from '../../sidecar/body/api-family.ts';

const usage = {
  prompt_tokens: 7,
  completion_tokens: 8,
  total_tokens: 15,
  prompt_tokens_details: { cached_tokens: 2 },
};
/** Whole answers as their families' documentation has them. */
export const validAnswers: readonly { family: ApiFamily; body: object }[] = [
  {
    family: 'chat',
    body: {
      id: 'c',
      choices: [{ index: 0, message: { role: 'assistant', content: 'hello there' }, finish_reason: 'stop' }],
      usage,
    },
  },
  {
    family: 'chat',
    body: {
      id: 'c',
      choices: [
        {
          message: {
            content: null,
            reasoning: 'so',
            tool_calls: [{ function: { name: 'f', arguments: '{"a":1}' } }],
          },
        },
      ],
    },
  },
  {
    family: 'completions',
    body: {
      choices: [{ text: 'a' }, { text: 'b' }],
      usage: { ...usage, cost: { total_msats: 1 }, cost_sats: 9 },
    },
  },
  {
    family: 'responses',
    body: {
      id: 'r',
      output: [{ type: 'message', content: [{ type: 'output_text', text: 'hello' }] }],
      usage: { input_tokens: 3, output_tokens: 4 },
    },
  },
  {
    family: 'messages',
    body: {
      type: 'message',
      content: [{ type: 'text', text: 'hello' }],
      usage: { input_tokens: 3, output_tokens: 4, cache_read_input_tokens: 5 },
    },
  },
  {
    family: 'embeddings',
    body: {
      object: 'list',
      data: [{ embedding: [0.1, 0.2], index: 0 }],
      usage: { prompt_tokens: 5, total_tokens: 5 },
    },
  },
  {
    family: 'images',
    body: {
      created: 1,
      data: [{ b64_json: 'aGVsbG8=' }, { url: 'http://x' }],
      usage: { input_tokens: 3, output_tokens: 4 },
    },
  },
  { family: 'audio_transcription', body: { text: 'hello there', usage: { type: 'duration', seconds: 3 } } },
  { family: 'audio_transcription', body: { text: 'hello there', duration: '3.4' } },
  { family: 'moderations', body: { id: 'm', results: [{ flagged: false }] } },
  {
    family: 'rerank',
    body: { results: [{ index: 0, relevance_score: 0.5 }], meta: { billed_units: { input_tokens: 4 } } },
  },
];
