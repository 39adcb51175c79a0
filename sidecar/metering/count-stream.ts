import type { Usage } from '../../pricing/usage.ts';
import type { ApiFamily } from '../body/api-family.ts';
import { BYTES_PER_TOKEN, heardSeconds, usualSpeech } from './count-answer.ts';

/** What was handed on of a stream. */
export interface Delivered {
  tokens: number;
  images: number;
}

/**
 * A stream's usage from what was delivered of it, where its upstream does not say: as `countAnswer` does for whole answers.
 * @param before the prompt as counted, the audio at its longest
 */
export function countStream(family: ApiFamily, before: Usage, { tokens, images }: Delivered): Usage {
  switch (family) {
    case 'audio_transcription':
    case 'audio_translation':
      return { ...before, audioSeconds: heardSeconds(before, tokens * BYTES_PER_TOKEN) };
    case 'audio_speech':
      return { ...before, audioSeconds: usualSpeech(before) };
    default:
      return { ...before, images, outputTokens: tokens };
  }
}
