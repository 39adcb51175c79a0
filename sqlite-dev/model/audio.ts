import { type Answer, BadRequestError, type ServerEvent } from './answer.ts';
import type { Ask } from './ask.ts';
import { lengthOf, token, tokensTo } from './tokens.ts';

const BYTES_PER_SECOND = 16_000;
const BYTES_PER_CHARACTER = 1000;
const SPEECH_TYPES: Record<string, string> = {
  mp3: 'audio/mpeg',
  opus: 'audio/ogg',
  aac: 'audio/aac',
  flac: 'audio/flac',
  wav: 'audio/wav',
  pcm: 'audio/pcm',
};

/** `POST /v1/audio/transcriptions` and `/translations`. */
export function transcription(ask: Ask): Answer {
  const { fields, file } = ask;
  if (file === undefined) throw new BadRequestError('file', 'file is missing');
  const length = lengthOf(ask);
  const seconds = Math.ceil(duration(file));
  const usage = { type: 'duration', seconds };
  if (fields.stream === 'true' || fields.stream === true) return { kind: 'stream', events: events() };
  const text = tokensTo(length.tokens);
  const span = `${clock(0)} --> ${clock(seconds)}`;
  switch (fields.response_format) {
    case 'text':
      return { kind: 'bytes', type: 'text/plain; charset=utf-8', body: Buffer.from(`${text}\n`) };
    case 'srt':
      return {
        kind: 'bytes',
        type: 'text/plain; charset=utf-8',
        body: Buffer.from(`1\n${span}\n${text}\n\n`),
      };
    case 'vtt':
      return {
        kind: 'bytes',
        type: 'text/vtt; charset=utf-8',
        body: Buffer.from(`WEBVTT\n\n${span.replaceAll(',', '.')}\n${text}\n\n`),
      };
    case 'verbose_json':
      return {
        kind: 'json',
        body: { task: 'transcribe', language: 'english', duration: seconds, text, usage },
      };
    default:
      return { kind: 'json', body: { text, usage } };
  }

  function* events(): Generator<ServerEvent> {
    for (let n = 0; n < length.tokens; n++) {
      yield { data: { type: 'transcript.text.delta', delta: token(n) } };
    }
    yield { data: { type: 'transcript.text.done', text: tokensTo(length.tokens), usage } };
    yield { data: '[DONE]' };
  }
}

/** `POST /v1/audio/speech`: bytes that no player takes for sound. */
export function speech({ fields }: Ask): Answer {
  if (typeof fields.input !== 'string') throw new BadRequestError('input', 'input is missing');
  const type = SPEECH_TYPES[String(fields.response_format ?? 'mp3')];
  if (type === undefined) throw new BadRequestError('response_format', 'response_format is unknown');
  return { kind: 'bytes', type, body: Buffer.alloc(fields.input.length * BYTES_PER_CHARACTER, 0x55) };
}

/** In s. A WAV says it in its header; anything else is taken for 128 kbit/s. */
function duration(file: Buffer): number {
  const wav = file.length >= 44 && file.toString('latin1', 0, 4) === 'RIFF';
  const perSecond = wav ? file.readUInt32LE(28) : BYTES_PER_SECOND;
  return (file.length - (wav ? 44 : 0)) / Math.max(perSecond, 1);
}

function clock(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(11, 19)},000`;
}
