import { apiFamily } from './api-family.ts';
import { readJsonRequest } from './read-json-request.ts';
import { readMultipartRequest } from './read-multipart-request.ts';
import { RequestError } from './request-error.ts';
import type { RequestFacts } from './request-facts.ts';

/**
 * Reads what a request asks for, so that it can be priced before a byte of it goes upstream. What this sees is what the
 * upstream will see: a body that two readers could understand differently is refused, and so is one whose worst case
 * has no bound.
 *
 * @param path normalised, with or without `/v1`
 * @param contentType as the client sent it
 * @throws RequestError for the client to mend; never anything else, whatever the bytes
 */
export function readRequest(path: string, contentType: string | undefined, body: Buffer): RequestFacts {
  const family = apiFamily(path);
  if (family === 'extra') {
    return {
      family,
      model: '',
      stream: false,
      maxTokens: undefined,
      copies: 1,
      estimateInput: 0,
      images: 0,
      audioSeconds: 0,
      members: undefined,
    };
  }
  const type = (contentType ?? '').toLowerCase();
  if (type.startsWith('multipart/form-data')) {
    if (family !== 'images' && family !== 'audio_transcription' && family !== 'audio_translation') {
      throw new RequestError('invalid_request', 'Send this request as application/json.');
    }
    return readMultipartRequest(family, contentType ?? '', body);
  }
  if (family === 'audio_transcription' || family === 'audio_translation') {
    throw new RequestError('invalid_request', 'Send the audio as multipart/form-data.');
  }
  // Another charset, or a form that happens to parse as JSON, is read differently by the upstream than by us.
  if (type !== '' && !/^application\/json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?;?\s*$/.test(type)) {
    throw new RequestError('invalid_request', 'Send this request as application/json in UTF-8.');
  }
  return readJsonRequest(family, body);
}
