import type { Usage } from '../../pricing/usage.ts';
import type { ApiFamily } from '../body/api-family.ts';
import { countElements, findMember, type JsonObject, scanObject } from '../body/json-scan.ts';
import { type Counted, countAnswer } from './count-answer.ts';
import { isCount, NOTHING, readUsage, wholeSeconds } from './usage.ts';

export interface MeteredAnswer {
  usage: Usage;
  /** Counted here, because the upstream said nothing that can be charged. */
  estimated: boolean;
}

/**
 * What a whole answer used: by its own word, else counted from what it contains.
 *
 * Looks at the top of the body only; its content is parsed just when it has to be counted.
 *
 * @param scanned `scanObject(body)`, where it is known already
 */
export function meterAnswer(
  family: ApiFamily,
  body: Buffer,
  counted: Counted,
  scanned?: JsonObject,
): MeteredAnswer {
  if (family === 'extra') return { usage: NOTHING, estimated: false };
  const object = scanned ?? scanObject(body);
  const stated = object && statedUsage(family, body, object);
  if (stated === undefined) return { usage: countBody(family, body, counted, object), estimated: true };
  return { usage: { ...stated, images: imagesMade(family, body, object) }, estimated: false };
}

/** What a whole answer used, as counted here, whatever the upstream says. */
export function countBody(
  family: ApiFamily,
  body: Buffer,
  counted: Counted,
  object: JsonObject | undefined = scanObject(body),
): Usage {
  const images = imagesMade(family, body, object);
  return { ...countAnswer(family, body, object, counted), images };
}

function statedUsage(family: ApiFamily, body: Buffer, object: JsonObject): Usage | undefined {
  const usage = readUsage(family, parsedMember(body, object, 'usage'));
  if (usage !== undefined) return usage;
  switch (family) {
    case 'rerank':
      return readUsage(
        family,
        (parsedMember(body, object, 'meta') as { billed_units?: unknown } | null)?.billed_units,
      );
    case 'audio_transcription':
    case 'audio_translation': {
      // `verbose_json` of older servers. Some write the number as a string.
      const duration = parsedMember(body, object, 'duration');
      const audioSeconds = wholeSeconds(
        typeof duration === 'string' ? Number.parseFloat(duration) : duration,
      );
      return isCount(audioSeconds) ? { ...NOTHING, audioSeconds } : undefined;
    }
    default:
      return undefined;
  }
}

/** An answer of another shape than OpenAI's has an image all the same: it was delivered, so it is not free. */
function imagesMade(family: ApiFamily, body: Buffer, object: JsonObject | undefined): number {
  if (family !== 'images') return 0;
  const list = object && findMember(object, 'data');
  return (list && countElements(body, list.valueStart, list.valueEnd)) ?? 1;
}

function parsedMember(body: Buffer, object: JsonObject, key: string): unknown {
  const member = findMember(object, key);
  if (member === undefined) return undefined;
  try {
    return JSON.parse(body.toString('utf8', member.valueStart, member.valueEnd));
  } catch {
    return undefined;
  }
}
