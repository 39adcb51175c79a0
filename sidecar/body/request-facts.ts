import type { ApiFamily } from './api-family.ts';
import type { JsonObject } from './json-scan.ts';

/** All that pricing and forwarding need to know of a request, read from its body once. */
export interface RequestFacts {
  family: ApiFamily;
  /** Empty for an extra path, whose price is the path's. */
  model: string;
  stream: boolean;
  /** The largest limit the client stated, under whatever name: engines differ in which one they obey. */
  maxTokens: number | undefined;
  /** (number of prompts) × max(n, best_of). */
  copies: number;
  /** Tokens of the prompt: Σ chars(text)/3 + 765 an image, rounded up. */
  estimateInput: number;
  /** Images asked for. */
  images: number;
  /** Bound on the seconds of audio to be heard or spoken. */
  audioSeconds: number;
  /** Where the members of a JSON body stand. */
  members: JsonObject | undefined;
}
