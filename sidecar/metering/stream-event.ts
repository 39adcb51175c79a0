import type { StreamShape } from './stream-shape.ts';

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const LETTER_N = 0x6e;

const DATA = Buffer.from('data');
const DONE = Buffer.from('[DONE]');
const LONGEST_NAME = 256;

/** What a name in an event means to the meter. */
const Role = {
  text: 1,
  alternative: 2,
  usage: 3,
  type: 4,
  choices: 5,
  finish: 6,
  /** An object that may hold the usage: the response of a `response.completed`, the message of a `message_start`. */
  envelope: 7,
  output: 8,
  identity: 9,
} as const;

interface Name {
  bytes: Buffer;
  role: number;
}

/**
 * One server-sent event, looked at without parsing its JSON: one pass over its bytes that allocates nothing, since every
 * event of every stream comes by here. Read anew for each event; the fields are those of the last one.
 */
export class StreamEvent {
  /** It has a `data` line: anything else is a comment, or says nothing to a client. */
  data = false;
  /** `data: [DONE]`. */
  done = false;
  /** Bytes of generated text, as escaped in JSON. */
  text = 0;
  /** There is a usage object: where it stands in the event. */
  usageStart = -1;
  usageEnd = -1;
  /** The output tokens that the usage states; -1 when it doesn't. */
  outputTokens = -1;
  /** It has choices that are not empty, none of which is finished. */
  running = false;
  /** Of the value of `type`, without its quotes. */
  typeStart = -1;
  typeEnd = -1;
  /** Raw JSON of the id, created and model of the first event that has any: a usage event of our own repeats them. */
  readonly identity = new Map<string, string>();

  /** Names by length: few of an event's names have one in common with ours. */
  readonly #names: Name[][] = [];
  #identified = false;
  #depth = 0;
  #choices = false;
  #finished = false;
  #alternative = 0;
  /** Inside `response` or `message`, at the top. */
  #envelope = false;

  constructor(shape: StreamShape) {
    const add = (role: number, ...names: string[]): void => {
      for (const name of names) {
        this.#names[name.length] ??= [];
        this.#names[name.length]!.push({ bytes: Buffer.from(name), role });
      }
    };
    add(Role.text, ...shape.text);
    add(Role.alternative, ...shape.alternatives);
    add(Role.usage, 'usage');
    add(Role.type, 'type');
    add(Role.choices, 'choices');
    add(Role.finish, 'finish_reason');
    add(Role.envelope, 'response', 'message');
    add(Role.output, 'completion_tokens', 'output_tokens');
    add(Role.identity, 'id', 'created', 'model');
  }

  /** Reads the event in `bytes[from, to)`, whole or cut off. Linear; never throws. */
  read(bytes: Buffer, from: number, to: number): void {
    this.data = false;
    this.done = false;
    this.text = 0;
    this.usageStart = -1;
    this.usageEnd = -1;
    this.outputTokens = -1;
    this.typeStart = -1;
    this.typeEnd = -1;
    this.#depth = 0;
    this.#choices = false;
    this.#finished = false;
    this.#alternative = 0;
    this.#envelope = false;

    let at = from;
    if (bytes[at] === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf) at += 3;
    while (at < to) {
      if (isData(bytes, at, to)) {
        at += DATA.length;
        if (bytes[at] === COLON) at++;
        if (!this.data && holds(bytes, skipSpace(bytes, at, to), to, DONE)) this.done = true;
        this.data = true;
        at = this.#readLine(bytes, at, to);
      }
      at = nextLine(bytes, at, to);
    }
    this.#identified = this.identity.size > 0;
    this.text += this.#alternative;
    this.running = this.#choices && !this.#finished;
  }

  /** The JSON of one `data` line; what is open at its end goes on in the next one. Returns where it stopped. */
  #readLine(bytes: Buffer, from: number, to: number): number {
    let at = from;
    while (at < to) {
      const byte = bytes[at]!;
      if (byte === QUOTE) {
        const end = skipString(bytes, at, to);
        const colon = skipSpace(bytes, end, to);
        if (colon < to && bytes[colon] === COLON) {
          at = this.#readMember(bytes, at + 1, end - 1, skipSpace(bytes, colon + 1, to), to);
        } else {
          at = end;
        }
        continue;
      }
      if (byte === LF || byte === CR) return at;
      if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.#depth++;
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        this.#depth--;
        if (this.#depth < 2) this.#envelope = false;
      }
      at++;
    }
    return at;
  }

  /** A member by its name in `bytes[nameStart, nameEnd)`. Returns where to go on: at its value, or behind it. */
  #readMember(bytes: Buffer, nameStart: number, nameEnd: number, value: number, to: number): number {
    const role = this.#roleOf(bytes, nameStart, nameEnd);
    if (role === 0 || value >= to) return value;
    const first = bytes[value]!;
    const top = this.#depth === 1;
    switch (role) {
      case Role.text:
      case Role.alternative: {
        if (first !== QUOTE) return value;
        const end = skipString(bytes, value, to);
        const length = Math.max(0, end - value - 2);
        if (role === Role.text) this.text += length;
        // The same thoughts under two names, for clients of either.
        else this.#alternative = Math.max(this.#alternative, length);
        return end;
      }
      case Role.usage:
        if (first !== OPEN_BRACE || !(top || (this.#envelope && this.#depth === 2))) return value;
        return this.#readUsage(bytes, value, to);
      case Role.type: {
        if (first !== QUOTE || !top) return value;
        const end = skipString(bytes, value, to);
        this.typeStart = value + 1;
        this.typeEnd = end - 1;
        return end;
      }
      case Role.choices: {
        if (!top || first !== OPEN_BRACKET) return value;
        const inside = skipSpace(bytes, value + 1, to);
        this.#choices = bytes[inside] !== CLOSE_BRACKET;
        return value;
      }
      case Role.finish:
        if (first !== LETTER_N) this.#finished = true;
        return value;
      case Role.envelope:
        if (top && first === OPEN_BRACE) this.#envelope = true;
        return value;
      case Role.identity: {
        if (!top || this.#identified) return value;
        const end = first === QUOTE ? skipString(bytes, value, to) : skipNumber(bytes, value, to);
        if (end > value && end - value <= LONGEST_NAME)
          this.identity.set(bytes.toString('latin1', nameStart, nameEnd), bytes.toString('utf8', value, end));
        return end;
      }
      default:
        return value;
    }
  }

  #readUsage(bytes: Buffer, start: number, to: number): number {
    let depth = 0;
    let at = start;
    this.outputTokens = -1;
    while (at < to) {
      const byte = bytes[at]!;
      if (byte === QUOTE) {
        const end = skipString(bytes, at, to);
        const colon = skipSpace(bytes, end, to);
        if (depth === 1 && bytes[colon] === COLON && this.#roleOf(bytes, at + 1, end - 1) === Role.output) {
          this.outputTokens = readCount(bytes, skipSpace(bytes, colon + 1, to), to);
        }
        at = end;
        continue;
      }
      if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
      else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && --depth === 0) {
        this.usageStart = start;
        this.usageEnd = at + 1;
        return at + 1;
      } else if (byte === LF || byte === CR) return at;
      at++;
    }
    return at;
  }

  #roleOf(bytes: Buffer, start: number, end: number): number {
    const names = this.#names[end - start];
    if (names === undefined) return 0;
    for (const name of names) if (holds(bytes, start, end, name.bytes)) return name.role;
    return 0;
  }
}

function isData(bytes: Buffer, at: number, to: number): boolean {
  if (!holds(bytes, at, to, DATA)) return false;
  const next = bytes[at + DATA.length];
  return at + DATA.length >= to || next === COLON || next === LF || next === CR;
}

function holds(bytes: Buffer, at: number, to: number, text: Buffer): boolean {
  if (to - at < text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false;
  return true;
}

function skipSpace(bytes: Buffer, from: number, to: number): number {
  let at = from;
  while (at < to && (bytes[at] === SPACE || bytes[at] === 0x09)) at++;
  return at;
}

/** From a string's opening quote to behind its closing one, or to the end of the line when it has none. */
function skipString(bytes: Buffer, open: number, to: number): number {
  let at = open + 1;
  while (at < to) {
    const byte = bytes[at];
    if (byte === QUOTE) return at + 1;
    if (byte === LF || byte === CR) return at;
    at += byte === BACKSLASH ? 2 : 1;
  }
  return to;
}

function skipNumber(bytes: Buffer, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at]! >= 0x30 && bytes[at]! <= 0x39) at++;
  return at;
}

/** A non-negative integer of at most nine digits; -1 for anything else. */
function readCount(bytes: Buffer, from: number, to: number): number {
  const end = skipNumber(bytes, from, to);
  const next = skipSpace(bytes, end, to);
  const whole = next < to && (bytes[next] === COMMA || bytes[next] === CLOSE_BRACE);
  return end === from || end - from > 9 || !whole ? -1 : Number(bytes.toString('latin1', from, end));
}

function nextLine(bytes: Buffer, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at] !== LF && bytes[at] !== CR) at++;
  return bytes[at] === CR && bytes[at + 1] === LF ? at + 2 : at + 1;
}
