import { findMember, type JsonObject, scanObject } from '../body/json-scan.ts';
import { applySplices, type Splice } from '../body/splice.ts';
import { COST_MEMBERS, costMembers, type Spent, usageObject } from './cost-fields.ts';
import { usageEvent } from './own-events.ts';

const LF = 0x0a;
const CR = 0x0d;

/**
 * A buffered answer with its cost in its `usage`, which is added where there is none. All else keeps its bytes; what is no
 * JSON object (text, audio, a list) is left alone.
 *
 * @param scanned `scanObject(body)`, where it is known already
 */
export function mergeBuffered(body: Buffer, spent: Spent, scanned?: JsonObject): Buffer[] {
  const object = scanned ?? scanObject(body);
  return object === undefined ? [body] : applySplices(body, [usageSplice(body, object, spent)]);
}

/**
 * The usage event of a stream with the cost in it.
 *
 * @param event as the upstream sent it and the meter held it; a new one is made when it sent none, or none that is JSON
 * @param identity raw JSON of the stream's own members, from the meter
 */
export function mergedUsageEvent(
  event: Buffer | undefined,
  spent: Spent,
  identity: ReadonlyMap<string, string>,
): Buffer {
  const merged = event === undefined ? undefined : mergeEvent(event, spent);
  return merged ?? Buffer.concat([event ?? Buffer.alloc(0), usageEvent(spent, identity)]);
}

function mergeEvent(event: Buffer, spent: Spent): Buffer | undefined {
  const lines = dataLines(event);
  if (lines.length === 1) {
    const { start, end } = lines[0]!;
    const splices = eventSplices(event, start, end, spent);
    return splices && Buffer.concat(applySplices(event, splices));
  }
  // JSON over several lines is one value (its strings have no line ends): it goes on as one line.
  const json = Buffer.from(lines.map(({ start, end }) => event.toString('utf8', start, end)).join(' '));
  const splices = eventSplices(json, 0, json.length, spent);
  if (splices === undefined) return undefined;
  const head = event.subarray(0, lines[0]!.lineStart);
  return Buffer.concat([head, Buffer.from('data: '), ...applySplices(json, splices), Buffer.from('\n\n')]);
}

function eventSplices(bytes: Buffer, from: number, to: number, spent: Spent): Splice[] | undefined {
  const object = scanObject(bytes, from, to);
  if (object === undefined) return undefined;
  const splices = [usageSplice(bytes, object, spent)];
  if (spent.family !== 'responses') return splices;
  // OpenAI's place for it is inside the response, Routstr's clients look at the top of the event as well.
  const response = findMember(object, 'response');
  const inner = response && scanObject(bytes, response.valueStart, response.valueEnd);
  if (inner !== undefined) splices.push(usageSplice(bytes, inner, spent));
  return splices;
}

function usageSplice(json: Buffer, object: JsonObject, spent: Spent): Splice {
  const member = findMember(object, 'usage');
  if (member === undefined) {
    const comma = object.members.length > 0 ? ',' : '';
    return { from: object.close, to: object.close, text: `${comma}"usage":${usageObject(spent)}` };
  }
  const { valueStart: from, valueEnd: to } = member;
  const usage = scanObject(json, from, to);
  if (usage === undefined) return { from, to, text: usageObject(spent) };
  const kept = usage.members
    .filter(({ key }) => !COST_MEMBERS.has(key))
    .map(({ keyStart, valueEnd }) => json.toString('utf8', keyStart, valueEnd));
  return { from, to, text: `{${[...kept, costMembers(spent.fields)].join()}}` };
}

interface DataLine {
  lineStart: number;
  /** Of what stands behind the colon. */
  start: number;
  end: number;
}

function dataLines(event: Buffer): DataLine[] {
  const lines: DataLine[] = [];
  let lineStart = 0;
  for (let at = 0; at <= event.length; at++) {
    if (at < event.length && event[at] !== LF && event[at] !== CR) continue;
    const start = lineStart + 'data:'.length;
    if (at >= start && event.toString('latin1', lineStart, start) === 'data:')
      lines.push({ lineStart, start, end: at });
    lineStart = at + 1;
  }
  return lines;
}
