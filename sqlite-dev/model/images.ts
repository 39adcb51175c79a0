import { type Answer, BadRequestError } from './answer.ts';
import { type Ask, wholeNumber } from './ask.ts';
import { CREATED } from './models.ts';
import { countTokens } from './tokens.ts';

/** A picture of one transparent dot. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=';
const TOKENS_PER_IMAGE = 272;

/** `POST /v1/images/generations` and, with a picture uploaded, `/edits` and `/variations`. */
export function images({ model, fields, file }: Ask): Answer {
  if (file === undefined && typeof fields.prompt !== 'string') {
    throw new BadRequestError('prompt', 'prompt is missing');
  }
  const made = wholeNumber(fields, 'n') ?? 1;
  const image =
    fields.response_format === 'url' ? { url: 'https://images.invalid/stub.png' } : { b64_json: PNG };
  const prompt = countTokens(fields.prompt);
  const completion = made * TOKENS_PER_IMAGE;
  // Only models that are sold by the token report usage.
  const usage = model.includes('gpt-image') && {
    usage: {
      input_tokens: prompt,
      input_tokens_details: { text_tokens: prompt, image_tokens: 0 },
      output_tokens: completion,
      total_tokens: prompt + completion,
    },
  };
  return { kind: 'json', body: { created: CREATED, data: Array(made).fill(image), ...usage } };
}
