/** What a path speaks: how its request is priced, and where its answer tells what was used. */
export type ApiFamily =
  | 'chat'
  | 'completions'
  | 'embeddings'
  | 'responses'
  | 'messages'
  | 'images'
  | 'audio_transcription'
  | 'audio_translation'
  | 'audio_speech'
  | 'moderations'
  | 'rerank'
  | 'extra';

/**
 * The family of a normalised path, with or without `/v1`. Any other path is `extra`: the provider's own, priced per
 * request, its body not read.
 */
export function apiFamily(path: string): ApiFamily {
  switch (path.startsWith('/v1/') ? path.slice(3) : path) {
    case '/chat/completions':
      return 'chat';
    case '/completions':
      return 'completions';
    case '/embeddings':
      return 'embeddings';
    case '/responses':
      return 'responses';
    case '/messages':
      return 'messages';
    case '/images/generations':
    case '/images/edits':
    case '/images/variations':
      return 'images';
    case '/audio/transcriptions':
      return 'audio_transcription';
    case '/audio/translations':
      return 'audio_translation';
    case '/audio/speech':
      return 'audio_speech';
    case '/moderations':
      return 'moderations';
    case '/rerank':
      return 'rerank';
    default:
      return 'extra';
  }
}
