import { type Answer, BadRequestError, type ServerEvent } from './answer.ts';
import { type Ask, wholeNumber } from './ask.ts';
import { CREATED } from './models.ts';
import { cachedOf, countTokens, lengthOf, token, tokensTo } from './tokens.ts';

/** `POST /v1/completions`: one choice for each prompt and each of its `n`; `best_of` are generated and counted. */
export function completions(ask: Ask): Answer {
  const { model, fields } = ask;
  const prompts = promptsOf(fields.prompt);
  const length = lengthOf(ask);
  const shown = wholeNumber(fields, 'n') ?? 1;
  const made = Math.max(shown, wholeNumber(fields, 'best_of') ?? 1);
  const prompt = countTokens(prompts);
  const finish = length.cut ? 'length' : 'stop';
  const usage = (completion: number) => ({
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: cachedOf(ask, prompt) },
  });
  const base = { id: 'cmpl-stub', object: 'text_completion', created: CREATED, model };
  const copies = prompts.length * shown;
  if (fields.stream === true) return { kind: 'stream', events: events() };

  const text = tokensTo(length.tokens);
  const choices = Array.from({ length: copies }, (_, index) => ({
    index,
    text,
    logprobs: null,
    finish_reason: finish,
  }));
  return {
    kind: 'json',
    body: { ...base, choices, usage: usage(length.tokens * prompts.length * made) },
  };

  function* events(): Generator<ServerEvent> {
    const options = (fields.stream_options ?? {}) as Record<string, unknown>;
    let delivered = 0;
    for (let n = 0; n < length.tokens; n++) {
      for (let index = 0; index < copies; index++) {
        delivered++;
        const last = n + 1 === length.tokens;
        yield {
          data: {
            ...base,
            choices: [{ index, text: token(n), logprobs: null, finish_reason: last ? finish : null }],
            ...(options.continuous_usage_stats === true && { usage: usage(delivered) }),
          },
        };
      }
    }
    if (options.include_usage === true) yield { data: { ...base, choices: [], usage: usage(delivered) } };
    yield { data: '[DONE]' };
  }
}

/** A text, texts, token ids, or lists of token ids. */
function promptsOf(prompt: unknown): unknown[] {
  if (typeof prompt === 'string') return [prompt];
  if (!Array.isArray(prompt) || prompt.length === 0) throw new BadRequestError('prompt', 'prompt is missing');
  return typeof prompt[0] === 'number' ? [prompt] : prompt;
}
