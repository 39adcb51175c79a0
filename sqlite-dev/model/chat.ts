import { type Answer, BadRequestError, type ServerEvent } from './answer.ts';
import { type Ask, wholeNumber } from './ask.ts';
import { CREATED } from './models.ts';
import { cachedOf, countTokens, lengthOf, token, tokensTo } from './tokens.ts';

/** `POST /v1/chat/completions`. Models whose name says so think first, for a third of the completion. */
export function chat(ask: Ask): Answer {
  const { model, fields } = ask;
  if (!Array.isArray(fields.messages)) throw new BadRequestError('messages', 'messages must be an array');
  const length = lengthOf(ask);
  const copies = wholeNumber(fields, 'n') ?? 1;
  const prompt = countTokens(fields.messages);
  const thought = model.includes('reasoning') ? Math.floor(Math.min(length.tokens, 1000) / 3) : 0;
  const finish = length.cut ? 'length' : 'stop';
  const usage = (completion: number) => ({
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: cachedOf(ask, prompt) },
    completion_tokens_details: { reasoning_tokens: Math.min(thought * copies, completion) },
  });
  const base = { id: 'chatcmpl-stub', created: CREATED, model };
  if (fields.stream === true) return { kind: 'stream', events: events() };

  const message = {
    role: 'assistant',
    content: tokensTo(length.tokens - thought),
    ...(thought > 0 && { reasoning_content: tokensTo(thought) }),
    refusal: null,
  };
  const choices = Array.from({ length: copies }, (_, index) => ({
    index,
    message,
    logprobs: null,
    finish_reason: finish,
  }));
  const body = { ...base, object: 'chat.completion', choices, usage: usage(length.tokens * copies) };
  return { kind: 'json', body };

  function* events(): Generator<ServerEvent> {
    const options = (fields.stream_options ?? {}) as Record<string, unknown>;
    let delivered = 0;
    const chunk = (index: number, delta: object, reason: string | null = null): ServerEvent => ({
      data: {
        ...base,
        object: 'chat.completion.chunk',
        choices: [{ index, delta, finish_reason: reason }],
        ...(options.continuous_usage_stats === true
          ? { usage: usage(delivered) }
          : options.include_usage === true && { usage: null }),
      },
    });
    for (let index = 0; index < copies; index++) yield chunk(index, { role: 'assistant', content: '' });
    for (let n = 0; n < length.tokens; n++) {
      for (let index = 0; index < copies; index++) {
        delivered++;
        const text = token(n < thought ? n : n - thought);
        yield chunk(index, n < thought ? { reasoning_content: text } : { content: text });
      }
    }
    for (let index = 0; index < copies; index++) yield chunk(index, {}, finish);
    if (options.include_usage === true) {
      yield { data: { ...base, object: 'chat.completion.chunk', choices: [], usage: usage(delivered) } };
    }
    yield { data: '[DONE]' };
  }
}
