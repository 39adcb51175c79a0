/** What can be bought, each with and without `/v1`. Everything else is 404. */
export const inferencePaths = [
  '/v1/chat/completions',
  '/v1/completions',
  '/v1/embeddings',
  '/v1/responses',
  '/v1/messages',
  '/v1/images/generations',
  '/v1/images/edits',
  '/v1/images/variations',
  '/v1/audio/transcriptions',
  '/v1/audio/translations',
  '/v1/audio/speech',
  '/v1/moderations',
  '/v1/rerank',
] as const;

/** A path as clients write it, and its twin without `/v1`. */
export function spellings(path: string): string[] {
  return path.startsWith('/v1/') ? [path, path.slice('/v1'.length)] : [path];
}
