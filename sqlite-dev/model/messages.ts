import { type Answer, BadRequestError, type ServerEvent } from './answer.ts';
import { type Ask, wholeNumber } from './ask.ts';
import { cachedOf, countTokens, lengthOf, token, tokensTo } from './tokens.ts';

/** `POST /v1/messages` (Anthropic). `input_tokens` leaves out what was read from or written to the cache. */
export function messages(ask: Ask): Answer {
  const { model, fields, fault } = ask;
  if (!Array.isArray(fields.messages)) throw new BadRequestError('messages', 'messages must be an array');
  if (wholeNumber(fields, 'max_tokens') === undefined) {
    throw new BadRequestError('max_tokens', 'max_tokens is missing');
  }
  const length = lengthOf(ask);
  const prompt = countTokens([fields.system, fields.messages]);
  const read = cachedOf(ask, prompt);
  const written = Math.min(fault.cachewrite ?? 0, prompt - read);
  const usage = (completion: number) => ({
    input_tokens: prompt - read - written,
    cache_creation_input_tokens: written,
    cache_read_input_tokens: read,
    output_tokens: completion,
  });
  const stop = length.cut ? 'max_tokens' : 'end_turn';
  const message = (content: object[], reason: string | null, completion: number) => ({
    id: 'msg_stub',
    type: 'message',
    role: 'assistant',
    model,
    content,
    stop_reason: reason,
    stop_sequence: null,
    usage: usage(completion),
  });
  if (fields.stream === true) return { kind: 'stream', events: events() };
  return {
    kind: 'json',
    body: message([{ type: 'text', text: tokensTo(length.tokens) }], stop, length.tokens),
  };

  function* events(): Generator<ServerEvent> {
    const event = (type: string, rest: object = {}): ServerEvent => ({
      event: type,
      data: { type, ...rest },
    });
    // As Anthropic does: the first event counts the prompt and a token or so, the last counts the completion.
    yield event('message_start', { message: message([], null, Math.min(1, length.tokens)) });
    yield event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } });
    yield event('ping');
    for (let n = 0; n < length.tokens; n++) {
      yield event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: token(n) } });
    }
    yield event('content_block_stop', { index: 0 });
    const delta = { stop_reason: stop, stop_sequence: null };
    yield event('message_delta', { delta, usage: { output_tokens: length.tokens } });
    yield event('message_stop');
  }
}
