import { type Answer, BadRequestError } from './answer.ts';
import type { Ask } from './ask.ts';
import { countTokens } from './tokens.ts';

/** `POST /v1/moderations`: text with `violence` in it is flagged. */
export function moderations({ model, fields }: Ask): Answer {
  const { input } = fields;
  if (input === undefined) throw new BadRequestError('input', 'input is missing');
  const inputs: unknown[] = Array.isArray(input) ? input : [input];
  const results = inputs.map((item) => {
    const flagged = JSON.stringify(item).includes('violence');
    return {
      flagged,
      categories: { violence: flagged },
      category_scores: { violence: flagged ? 0.99 : 0.01 },
      category_applied_input_types: { violence: ['text'] },
    };
  });
  return { kind: 'json', body: { id: 'modr-stub', model, results } };
}

/** `POST /v1/rerank`: documents by the words they share with the query. */
export function rerank({ model, fields }: Ask): Answer {
  const { query, documents } = fields;
  if (typeof query !== 'string') throw new BadRequestError('query', 'query is missing');
  if (!Array.isArray(documents)) throw new BadRequestError('documents', 'documents must be an array');
  const wanted = new Set(query.toLowerCase().split(/\s+/));
  const results = documents
    .map((document, index) => {
      const text = typeof document === 'string' ? document : String(document?.text ?? '');
      const shared = text
        .toLowerCase()
        .split(/\s+/)
        .filter((word) => wanted.has(word)).length;
      return { index, document: { text }, relevance_score: shared / wanted.size };
    })
    .sort((a, b) => b.relevance_score - a.relevance_score);
  const usage = { total_tokens: countTokens([query, documents]) };
  return { kind: 'json', body: { id: 'rerank-stub', model, results, usage } };
}
