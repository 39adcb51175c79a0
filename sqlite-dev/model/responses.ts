import { type Answer, BadRequestError, type ServerEvent } from './answer.ts';
import type { Ask } from './ask.ts';
import { CREATED } from './models.ts';
import { cachedOf, countTokens, lengthOf, token, tokensTo } from './tokens.ts';

/** `POST /v1/responses`: one message of text. A stream of it has no `[DONE]`. */
export function responses(ask: Ask): Answer {
  const { model, fields } = ask;
  if (fields.input === undefined) throw new BadRequestError('input', 'input is missing');
  const length = lengthOf(ask);
  const prompt = countTokens([fields.input, fields.instructions]);
  const usage = (completion: number) => ({
    input_tokens: prompt,
    input_tokens_details: { cached_tokens: cachedOf(ask, prompt) },
    output_tokens: completion,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: prompt + completion,
  });
  const id = 'msg_stub';
  const part = (text: string) => ({ type: 'output_text', text, annotations: [] });
  const item = (status: string, content: object[]) => ({
    type: 'message',
    id,
    status,
    role: 'assistant',
    content,
  });
  const status = length.cut ? 'incomplete' : 'completed';
  const response = (state: string, output: object[], completion?: number) => ({
    id: 'resp_stub',
    object: 'response',
    created_at: CREATED,
    status: state,
    error: null,
    incomplete_details: state === 'incomplete' ? { reason: 'max_output_tokens' } : null,
    model,
    output,
    parallel_tool_calls: true,
    store: fields.store ?? true,
    usage: completion === undefined ? null : usage(completion),
  });
  if (fields.stream === true) return { kind: 'stream', events: events() };
  return {
    kind: 'json',
    body: response(status, [item(status, [part(tokensTo(length.tokens))])], length.tokens),
  };

  function* events(): Generator<ServerEvent> {
    let sequence = 0;
    const event = (type: string, rest: object): ServerEvent => ({
      event: type,
      data: { type, sequence_number: sequence++, ...rest },
    });
    const here = { item_id: id, output_index: 0, content_index: 0 };
    yield event('response.created', { response: response('in_progress', []) });
    yield event('response.in_progress', { response: response('in_progress', []) });
    yield event('response.output_item.added', { output_index: 0, item: item('in_progress', []) });
    yield event('response.content_part.added', { ...here, part: part('') });
    let text = '';
    for (let n = 0; n < length.tokens; n++) {
      // An endless answer is not kept: nobody gets to its end.
      if (length.tokens !== Number.POSITIVE_INFINITY) text += token(n);
      yield event('response.output_text.delta', { ...here, delta: token(n), logprobs: [] });
    }
    yield event('response.output_text.done', { ...here, text, logprobs: [] });
    yield event('response.content_part.done', { ...here, part: part(text) });
    yield event('response.output_item.done', { output_index: 0, item: item(status, [part(text)]) });
    const done = response(status, [item(status, [part(text)])], length.tokens);
    yield event(`response.${status}`, { response: done });
  }
}
