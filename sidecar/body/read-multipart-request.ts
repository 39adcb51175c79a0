import { isUtf8 } from 'node:buffer';
import type { ApiFamily } from './api-family.ts';
import { audioSecondsBound } from './audio-length.ts';
import { type FormPart, formParts } from './multipart.ts';
import { IMAGE_TOKENS } from './prompt-estimate.ts';
import { RequestError } from './request-error.ts';
import type { RequestFacts } from './request-facts.ts';

/** Text fields that decide about the price or the shape of the answer: each at most once. */
const READ = new Set(['model', 'n', 'prompt', 'stream', 'response_format']);
/** Some servers (whisper.cpp's) take these for files without a file name too: then they would be heard for free. */
const FILES = /^(?:file|image|mask)(?:\[\d*\])?$/;
const MAX_FIELD = 64 * 1024;
const MAX_IMAGES = 1024;
/** What models that count audio in tokens make of a second. */
const TOKENS_PER_SECOND = 17;

/**
 * Reads a form without copying its files.
 * @throws RequestError
 */
export function readMultipartRequest(family: ApiFamily, contentType: string, body: Buffer): RequestFacts {
  const fields = new Map<string, string>();
  let files = 0;
  let textLength = 0;
  let audioSeconds = 0;
  for (const part of formParts(contentType, body)) {
    const name = part.name.toLowerCase();
    if (READ.has(name)) readField(fields, part, body);
    if (part.file || FILES.test(name)) {
      files++;
      if (family !== 'images') audioSeconds += audioSecondsBound(body.subarray(part.start, part.end));
    } else if (name !== 'model') {
      textLength += part.end - part.start;
    }
  }
  const model = fields.get('model') ?? '';
  if (model === '' || model.length > 256) {
    throw new RequestError('invalid_request', 'Name a model: the form needs a field "model".');
  }
  if (family !== 'images' && files === 0) {
    throw new RequestError('invalid_request', 'Send the audio as a file: the form needs a part "file".');
  }
  const copies = readCount(fields.get('n'));
  const heard = family === 'images' ? files * IMAGE_TOKENS : audioSeconds * TOKENS_PER_SECOND;
  return {
    family,
    model,
    stream: readStream(fields.get('stream')),
    maxTokens: undefined,
    copies,
    // Bytes, not characters: every field may end up in the prompt, and none is decoded for its length alone.
    estimateInput: Math.ceil(textLength / 3) + heard,
    images: family === 'images' ? copies : 0,
    audioSeconds,
    members: undefined,
  };
}

function readField(fields: Map<string, string>, part: FormPart, body: Buffer): void {
  if (part.file || !READ.has(part.name)) {
    throw new RequestError(
      'invalid_request',
      'A field of the form has an unusual spelling, or is sent as a file.',
    );
  }
  if (fields.has(part.name)) {
    throw new RequestError('invalid_request', `The form has two fields "${part.name}". Send it once.`);
  }
  const value = body.subarray(part.start, part.end);
  if (value.length > MAX_FIELD || !isUtf8(value)) {
    throw new RequestError('invalid_request', `The field "${part.name}" must be UTF-8 of at most 64 KiB.`);
  }
  fields.set(part.name, value.toString());
}

function readCount(field: string | undefined): number {
  if (field === undefined) return 1;
  const count = /^[1-9]\d{0,3}$/.test(field) ? Number(field) : 0;
  if (count === 0 || count > MAX_IMAGES) {
    throw new RequestError('invalid_request', `"n" must be an integer from 1 to ${MAX_IMAGES}.`);
  }
  return count;
}

function readStream(field: string | undefined): boolean {
  switch (field?.toLowerCase()) {
    case undefined:
    case 'false':
      return false;
    case 'true':
      return true;
    default:
      throw new RequestError('invalid_request', '"stream" must be true or false.');
  }
}
