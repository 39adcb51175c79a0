/**
 * What one request really used, as the upstream reported it or as it was counted. All are non-negative integers.
 * `inputTokens` excludes what `cacheReadTokens` and `cacheWriteTokens` count: each token is in one of the three.
 */
export interface Usage {
  inputTokens: number;
  /** Reasoning included. */
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  /** Images made (not images read: those are tokens). */
  images: number;
  /** Seconds of audio heard or spoken, rounded up. */
  audioSeconds: number;
  webSearches: number;
}

/** The most a request can use, known before it is forwarded. The hold is computed from it. */
export interface Estimate {
  /** Σ chars(text)/3 + image tokens, rounded up. */
  inputTokens: number;
  /** Bound on the tokens of one completion. */
  outputTokens: number;
  /** (number of prompts) × max(n, best_of). */
  copies: number;
  images: number;
  audioSeconds: number;
  /** Searches the request asks for; none when left out. */
  webSearches?: number;
}

/**
 * A count as a factor of money.
 * @throws RangeError when it is negative, not an integer or not exact: a charge by it would be wrong, or give money away
 */
export function count(value: number): bigint {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is not a count`);
  return BigInt(value);
}
