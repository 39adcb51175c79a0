/** Unix time in s of everything this server makes: its answers are the same at any time. */
export const CREATED = 1_763_769_600;

/** Listed; any other name is answered as well. */
const MODELS = [
  ...['stub-chat', 'stub-reasoning', 'stub-sats', 'stub-instruct', 'stub-embedding', 'stub-image'],
  ...['stub-transcribe', 'stub-speech', 'stub-moderation', 'stub-rerank'],
];

/** `GET /v1/models` */
export function modelList(): object {
  const data = MODELS.map((id) => ({ id, object: 'model', created: CREATED, owned_by: 'stub' }));
  return { object: 'list', data };
}
