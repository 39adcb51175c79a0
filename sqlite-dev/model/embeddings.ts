import { type Answer, BadRequestError } from './answer.ts';
import { type Ask, wholeNumber } from './ask.ts';
import { countTokens } from './tokens.ts';

const DIMENSIONS = 8;

/** `POST /v1/embeddings`: floats, or base64 of 32-bit floats (what the OpenAI SDK asks for). */
export function embeddings({ model, fields }: Ask): Answer {
  const { input } = fields;
  if (input === undefined) throw new BadRequestError('input', 'input is missing');
  const inputs: unknown[] = Array.isArray(input) && typeof input[0] !== 'number' ? input : [input];
  const size = wholeNumber(fields, 'dimensions') ?? DIMENSIONS;
  const data = inputs.map((text, index) => {
    const seed = countTokens(text);
    const vector = Float32Array.from({ length: size }, (_, n) => Math.sin(seed + n));
    const embedding =
      fields.encoding_format === 'base64' ? Buffer.from(vector.buffer).toString('base64') : [...vector];
    return { object: 'embedding', index, embedding };
  });
  const prompt = inputs.reduce<number>((sum, text) => sum + countTokens(text), 0);
  const usage = { prompt_tokens: prompt, total_tokens: prompt };
  return { kind: 'json', body: { object: 'list', data, model, usage } };
}
