import { describe, expect, test } from 'vitest';
import { countStream } from './count-stream.ts';
import { NOTHING } from './usage.ts';

describe('a stream whose upstream says nothing about usage', () => {
  const before = { ...NOTHING, inputTokens: 10, audioSeconds: 60 };

  test('is counted by its text', () => {
    expect(countStream('chat', before, { tokens: 7, images: 0 })).toMatchObject({
      inputTokens: 10,
      outputTokens: 7,
    });
  });

  test('is counted by its images', () => {
    expect(countStream('images', before, { tokens: 0, images: 2 })).toMatchObject({ images: 2 });
  });

  test('of a transcription takes as much audio as its text takes to speak, never more than was held', () => {
    expect(countStream('audio_transcription', before, { tokens: 30, images: 0 }).audioSeconds).toBe(8);
    expect(countStream('audio_translation', before, { tokens: 30_000, images: 0 }).audioSeconds).toBe(60);
    expect(countStream('audio_transcription', before, { tokens: 0, images: 0 }).audioSeconds).toBe(1);
  });

  test('of speech takes what is usual, not what is possible', () => {
    expect(countStream('audio_speech', before, { tokens: 0, images: 0 }).audioSeconds).toBe(20);
  });
});
