import type { ApiFamily } from './api-family.ts';
import { RequestError } from './request-error.ts';

type Body = Record<string, unknown>;

/**
 * Members that pull in text, tools or models which are not in the body, so that no hold could cover them; or another
 * customer's data; or make the engine call an address of the client's choosing. Refused unless null.
 */
const REFUSED: Readonly<Record<string, string>> = {
  previous_response_id: 'Send the whole conversation in "input" instead of "previous_response_id".',
  conversation: 'Send the whole conversation in "input" instead of "conversation".',
  web_search_options: 'Web search is not sold here.',
  search_parameters: 'Web search is not sold here.',
  plugins: 'Plugins are not sold here.',
  data_sources: 'Data sources are not sold here.',
  mcp_servers: 'Hosted tools are not sold here. Run tools on your side.',
  container: 'Containers are not sold here.',
  models: 'Name one model: fallbacks have another price.',
  fallbacks: 'Name one model: fallbacks have another price.',
  prompt_embeds: 'Send the prompt as text or token ids.',
  audio: 'Spoken answers are not sold here.',
  lora_path: 'Adapters are chosen by the model name.',
  kv_transfer_params: '"kv_transfer_params" is not taken.',
  bootstrap_host: '"bootstrap_host" is not taken.',
  bootstrap_port: '"bootstrap_port" is not taken.',
  bootstrap_room: '"bootstrap_room" is not taken.',
};

/** Whether a member of this name is refused when it is set: then other spellings of it are as well. */
export function isUnboundedMember(name: string): boolean {
  return Object.hasOwn(REFUSED, name);
}

/** Tools that the client itself runs. Every other type is run by the upstream, which then reads what we can't price. */
const CLIENT_TOOL =
  /^(?:function|custom|local_shell|apply_patch|(?:bash|text_editor|computer|memory)_\d{8})$/;

const SERVICE_TIERS: readonly unknown[] = ['auto', 'default', 'flex', 'standard_only'];

/**
 * Refuses what has no worst case, or one that the hold does not contain.
 * @throws RequestError
 */
export function refuseUnbounded(family: ApiFamily, body: Body): void {
  for (const name of Object.keys(body)) {
    if (body[name] !== null && Object.hasOwn(REFUSED, name)) throw refused(REFUSED[name]!);
  }
  if (isSet(body.background)) throw refused('"background" must be false: answers are not kept.');
  if (family === 'responses') {
    if (isSet(body.store)) throw refused('"store" must be false: answers are not kept.');
    if (isSet(body.prompt)) throw refused('Send the prompt itself in "input", not a stored one.');
  }
  const { modalities, service_tier: tier, tools } = body;
  if (isSet(modalities) && !(Array.isArray(modalities) && modalities.every((kind) => kind === 'text'))) {
    throw refused('"modalities" may only be ["text"].');
  }
  if (isSet(tier) && !SERVICE_TIERS.includes(tier)) throw refused('This "service_tier" has another price.');
  if (!Array.isArray(tools)) return;
  for (const tool of tools) {
    const type = (tool as Body | null)?.type ?? 'function';
    if (typeof type !== 'string' || !CLIENT_TOOL.test(type)) {
      throw refused('Hosted tools are not sold here. Only tools that you run yourself are.');
    }
  }
}

/** Content that is elsewhere, or whose tokens can't be told from its bytes. */
const REFUSED_PARTS = new Set([
  'item_reference',
  'input_file',
  'file',
  'image_file',
  'container_upload',
  'video',
  'video_url',
  'input_video',
  'audio_url',
  'image_embeds',
  'audio_embeds',
  'prompt_embeds',
]);
const REFUSED_PART_MEMBERS = [
  'file_id',
  'file_url',
  'file_data',
  'file',
  'video',
  'video_url',
  'audio_url',
  'image_embeds',
  'audio_embeds',
  'prompt_embeds',
];

/**
 * The same for one item of a conversation, or one part of its content.
 * @throws RequestError
 */
export function refuseUnboundedPart(part: Body): void {
  const source = part.source as Body | null | undefined;
  const stored = typeof source === 'object' && source !== null && isSet(source.file_id);
  const document = part.type === 'document' && source?.type !== 'text' && source?.type !== 'content';
  const named = REFUSED_PART_MEMBERS.some((name) => Object.hasOwn(part, name) && isSet(part[name]));
  if (stored || document || named || REFUSED_PARTS.has(part.type as string)) {
    throw refused('Send text and images only: files, stored items, video and remote audio have no price.');
  }
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false;
}

function refused(message: string): RequestError {
  return new RequestError('invalid_request', message);
}
