/**
 * Compressed speech is hardly ever slower than this (8 kbit/s: AMR, narrow-band Opus). A file that is, silence for
 * instance, costs more than its hold, which its account's balance then covers.
 */
const LEAST_BYTES_PER_SECOND = 1000;

const LEAST_SAMPLE_RATE = 4000;
/** PCM, IEEE float, A-law, µ-law: a sample has a fixed size, so the file's size tells how long it is. */
const UNCOMPRESSED = new Set([1, 3, 6, 7]);

/**
 * The most seconds an audio file can have, rounded up, and one at least: by its header for an uncompressed WAV, else by its size.
 *
 * A header that lies about its rate makes the decoder play at that rate too, so it can't shorten what is heard.
 */
export function audioSecondsBound(file: Buffer): number {
  return Math.max(1, Math.ceil(file.length / (wavBytesPerSecond(file) ?? LEAST_BYTES_PER_SECOND)));
}

function wavBytesPerSecond(file: Buffer): number | undefined {
  if (
    file.length < 44 ||
    file.toString('latin1', 0, 4) !== 'RIFF' ||
    file.toString('latin1', 8, 16) !== 'WAVEfmt '
  ) {
    return undefined;
  }
  const format = file.readUInt16LE(20);
  const channels = file.readUInt16LE(22);
  const rate = file.readUInt32LE(24);
  const bits = file.readUInt16LE(34);
  if (!UNCOMPRESSED.has(format) || rate < LEAST_SAMPLE_RATE || channels === 0 || bits < 8) return undefined;
  return rate * channels * Math.floor(bits / 8);
}
