const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** Deeper JSON is refused: nothing that walks it afterwards needs a guard of its own. */
const MAX_DEPTH = 128;
/** More members at the top of an object than any API has. Bounds what is kept of a hostile one. */
const MAX_MEMBERS = 1024;
/** Up to here a loop finds the end of a string sooner than a call to `indexOf` does. */
const SHORT_STRING = 24;

const SCALAR = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/;

/** A member of an object: offsets into the buffer that was scanned, `valueEnd` exclusive. */
export interface JsonMember {
  /** Escapes resolved: `"\u006dodel"` is `model`, as the upstream will read it. */
  key: string;
  /** Of the key's opening quote. */
  keyStart: number;
  valueStart: number;
  valueEnd: number;
}

export interface JsonObject {
  /** Of `{` and `}`. */
  open: number;
  close: number;
  /** In the order they stand, duplicates included. */
  members: JsonMember[];
  /** Objects and arrays inside: what a parser would have to allocate. */
  containers: number;
}

/**
 * Finds the members of the JSON object that fills `json[from, to)`, white space aside, without building its values.
 *
 * One pass, linear. Checks the object's own syntax, strings' ends and the nesting of brackets; the inside of nested
 * values is left to a parser. Returns undefined for anything else than an object, for what is malformed at that level,
 * nested deeper than 128 or wider than 1,024 members. Never throws.
 */
export function scanObject(json: Buffer, from = 0, to = json.length): JsonObject | undefined {
  const open = skipSpace(json, from, to);
  if (open >= to || json[open] !== OPEN_BRACE) return undefined;
  const scan: JsonObject = { open, close: -1, members: [], containers: 0 };

  let at = skipSpace(json, open + 1, to);
  if (json[at] !== CLOSE_BRACE || at >= to) {
    for (;;) {
      if (at >= to || json[at] !== QUOTE || scan.members.length === MAX_MEMBERS) return undefined;
      const keyStart = at;
      const keyEnd = skipString(json, at, to);
      if (keyEnd === -1) return undefined;
      const key = decodeKey(json, keyStart, keyEnd);
      if (key === undefined) return undefined;

      at = skipSpace(json, keyEnd, to);
      if (at >= to || json[at] !== COLON) return undefined;
      const valueStart = skipSpace(json, at + 1, to);
      const valueEnd = skipValue(json, valueStart, to, scan);
      if (valueEnd === -1) return undefined;
      scan.members.push({ key, keyStart, valueStart, valueEnd });

      at = skipSpace(json, valueEnd, to);
      if (at >= to) return undefined;
      if (json[at] === CLOSE_BRACE) break;
      if (json[at] !== COMMA) return undefined;
      at = skipSpace(json, at + 1, to);
    }
  }
  scan.close = at;
  return skipSpace(json, at + 1, to) === to ? scan : undefined;
}

/** The member a JSON parser would read under this key: of duplicates the last. */
export function findMember(object: JsonObject, key: string): JsonMember | undefined {
  return object.members.findLast((member) => member.key === key);
}

/** How many elements the JSON array in `json[from, to)` has; undefined when it is no array or malformed. */
export function countElements(json: Buffer, from: number, to: number): number | undefined {
  let at = skipSpace(json, from, to);
  if (at >= to || json[at] !== OPEN_BRACKET) return undefined;
  at = skipSpace(json, at + 1, to);
  if (at < to && json[at] === CLOSE_BRACKET) return 0;
  const inside = { containers: 0 };
  for (let count = 1; ; count++) {
    at = skipValue(json, at, to, inside);
    if (at === -1) return undefined;
    at = skipSpace(json, at, to);
    if (at >= to) return undefined;
    if (json[at] === CLOSE_BRACKET) return count;
    if (json[at] !== COMMA) return undefined;
    at = skipSpace(json, at + 1, to);
  }
}

function skipSpace(json: Buffer, from: number, to: number): number {
  let at = from;
  while (at < to) {
    const byte = json[at];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
    at++;
  }
  return at;
}

/** From the opening quote to behind the closing one; -1 when there is none. */
function skipString(json: Buffer, open: number, to: number): number {
  let at = open + 1;
  const near = Math.min(to, at + SHORT_STRING);
  while (at < near) {
    const byte = json[at];
    if (byte === QUOTE) return at + 1;
    at += byte === BACKSLASH ? 2 : 1;
  }
  for (;;) {
    const quote = json.indexOf(QUOTE, at);
    if (quote === -1 || quote >= to) return -1;
    let escapes = 0;
    while (quote - escapes - 1 >= at && json[quote - escapes - 1] === BACKSLASH) escapes++;
    if (escapes % 2 === 0) return quote + 1;
    at = quote + 1;
  }
}

function skipValue(json: Buffer, from: number, to: number, count: { containers: number }): number {
  if (from >= to) return -1;
  const first = json[from];
  if (first === QUOTE) return skipString(json, from, to);
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return skipNested(json, from, to, count);
  let at = from;
  while (at < to && !endsScalar(json[at]!)) at++;
  return SCALAR.test(json.toString('latin1', from, at)) ? at : -1;
}

function endsScalar(byte: number): boolean {
  return byte <= 0x20 || byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || byte === QUOTE;
}

function skipNested(json: Buffer, from: number, to: number, count: { containers: number }): number {
  // No typed array: to make one takes longer than a short value takes to scan.
  const closers: number[] = [];
  let depth = 0;
  let at = from;
  while (at < to) {
    const byte = json[at]!;
    if (byte === QUOTE) {
      at = skipString(json, at, to);
      if (at === -1) return -1;
      continue;
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (depth === MAX_DEPTH) return -1;
      count.containers++;
      closers[depth++] = byte + 2;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (closers[--depth] !== byte) return -1;
      if (depth === 0) return at + 1;
    }
    at++;
  }
  return -1;
}

function decodeKey(json: Buffer, start: number, end: number): string | undefined {
  for (let at = start + 1; at < end - 1; at++) {
    const byte = json[at]!;
    if (byte === BACKSLASH || byte < 0x20 || byte >= 0x80) {
      try {
        return JSON.parse(json.toString('utf8', start, end)) as string;
      } catch {
        return undefined;
      }
    }
  }
  return json.toString('latin1', start + 1, end - 1);
}
