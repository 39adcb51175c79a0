import type { Usage } from '../../pricing/usage.ts';
import type { ApiFamily } from '../body/api-family.ts';
import { EventBoundary } from './event-boundary.ts';
import { StreamEvent } from './stream-event.ts';
import { type StreamShape, streamShape } from './stream-shape.ts';
import { readUsage } from './usage.ts';

/** A larger event is handed on as it comes, so that no upstream can fill our memory. */
const MAX_EVENT = 1024 * 1024;
/** The same for what comes behind `[DONE]`. */
const MAX_CLOSING = 64 * 1024;
const LEAST_PARTIAL = 512;
const BYTES_PER_TOKEN = 4;
/** Bytes of text, as escaped in JSON. An event with more brings several tokens. */
const LONGEST_TOKEN = 24;
const NOTHING_YET = Buffer.alloc(0);
const ERROR = Buffer.from('"error"');
/** Ends an event whose upstream did not, so that nothing we send is read as part of it. */
const EMPTY_LINE = Buffer.from('\n\n');

/** What a stream's end is made of, in the order to send it: the usage event is to be merged with the cost first. */
export interface HeldEnd {
  /** Bytes behind the last whole event. */
  rest: Buffer[];
  /** The event that states the final usage, as the upstream sent it. */
  usageEvent: Buffer | undefined;
  /** `[DONE]`, or the family's own last event. */
  closing: Buffer[];
}

/** Where an event goes: to the client, in its turn or past what is held; or held as the usage event, or behind it. */
type Way = 'pass' | 'aside' | 'hold' | 'close';

/**
 * Watches one stream of server-sent events (WHATWG HTML, 9.2) on its way to the client.
 *
 * Whole events are handed on at once, byte for byte. Only the end is held back, so that the cost can be put into it once
 * it is known: the event that states the final usage, and `[DONE]` or its like. An event that comes after a held one
 * frees it, so order is kept; comments and pings never wait.
 *
 * Counts what is handed on: by the upstream's usage where it states one on the way (vLLM), else one token an event that
 * carries text, or one in four bytes where an event has more text than a token could.
 */
export class SseMeter {
  readonly #family: ApiFamily;
  readonly #mostOutput: number;
  readonly #shape: StreamShape;
  readonly #event: StreamEvent;
  readonly #boundary = new EventBoundary();
  /** The beginning of an event that has not ended; copied, so that small chunks keep no large ones alive. */
  #partial = NOTHING_YET;
  #partialLength = 0;
  /** The event at hand was too large to keep: what is left of it goes through as well. */
  #oversized = false;
  #usageEvent: Buffer | undefined;
  #closing: Buffer[] = [];
  #closingLength = 0;
  #closed = false;
  #finished = false;
  #events = 0;
  #images = 0;
  #imageBegun = false;
  #bytes = 0;
  /** Events that carried text; and those since the upstream last stated its usage, with their text. */
  #textEvents = 0;
  #freshEvents = 0;
  #freshBytes = 0;
  #stated = -1;
  /** The last usage object and, for `messages`, the one of the start, which has the input. Raw JSON. */
  #usage: Buffer | undefined;
  #startUsage: Buffer | undefined;

  /** @param mostOutput tokens that were asked for at most: an estimate by length never comes to more */
  constructor(family: ApiFamily, mostOutput = Number.POSITIVE_INFINITY) {
    this.#family = family;
    this.#mostOutput = mostOutput;
    this.#shape = streamShape(family);
    this.#event = new StreamEvent(this.#shape);
  }

  /** Whether the upstream said that the stream is complete. */
  get finished(): boolean {
    return this.#finished;
  }

  /** Events with data that were handed on. */
  get deliveredEvents(): number {
    return this.#events;
  }

  /**
   * Finished images, of a stream that brings images; one as soon as there is anything of it. The last preview is as good as
   * the image itself: who leaves then has one.
   */
  get deliveredImages(): number {
    return Math.max(this.#images, this.#imageBegun ? 1 : 0);
  }

  get deliveredBytes(): number {
    return this.#bytes;
  }

  /** Raw JSON of the stream's own `id`, `model` and `created`, where they are known. */
  get identity(): ReadonlyMap<string, string> {
    return this.#event.identity;
  }

  /** Whether `usage()` is the upstream's own word on all that was delivered. */
  get exact(): boolean {
    return this.#freshEvents === 0 && this.usage() !== undefined;
  }

  /** Output tokens handed on so far. A few comparisons: made to be asked after every chunk. */
  deliveredTokens(): number {
    const stated = Math.max(this.#stated, 0);
    // Long words must not take an answer that keeps to its limit out of its hold. One event too many shows that it doesn't.
    const byLength = Math.min(stated + Math.ceil(this.#freshBytes / BYTES_PER_TOKEN), this.#mostOutput);
    // With several choices vLLM states the tokens of the one at hand; each event has one token at least.
    return Math.max(byLength, stated + this.#freshEvents, this.#textEvents);
  }

  /**
   * What the upstream says was used, parsed only now. When it said so before the last of its text, the output is counted
   * on from there. Undefined when it never did, or said nothing that can be charged.
   */
  usage(): Usage | undefined {
    const last = parse(this.#usage);
    const start = parse(this.#startUsage);
    const stated = readUsage(this.#family, start === undefined ? last : { ...start, ...withoutNulls(last) });
    if (stated === undefined) return undefined;
    const usage = { ...stated, images: this.deliveredImages };
    if (this.#freshEvents === 0) return usage;
    return { ...usage, outputTokens: Math.max(usage.outputTokens, this.deliveredTokens()) };
  }

  /**
   * Takes what came from the upstream.
   * @returns what may go to the client now: a view of the chunk where no event spans several
   */
  push(chunk: Buffer): Buffer[] {
    const out: Buffer[] = [];
    /** All of the chunk before this is dealt with; what passes between here and `start` goes out in one piece. */
    let sent = 0;
    let start = 0;
    for (let end = this.#boundary.next(chunk, 0); end !== -1; end = this.#boundary.next(chunk, end)) {
      if (this.#oversized) {
        this.#oversized = false;
        this.#countRest(end - start);
      } else {
        const joined = this.#join(chunk.subarray(start, end));
        const way =
          joined === undefined ? this.#take(chunk, start, end) : this.#take(joined, 0, joined.length);
        const inTurn =
          joined === undefined && (way === 'aside' || (way === 'pass' && this.#heldLength === 0));
        if (!inTurn) {
          if (start > sent) out.push(chunk.subarray(sent, start));
          this.#send(joined ?? chunk.subarray(start, end), way, out);
          sent = end;
        }
      }
      start = end;
    }
    if (start > sent) out.push(chunk.subarray(sent, start));
    if (start < chunk.length) this.#wait(chunk.subarray(start), out);
    for (const piece of out) this.#bytes += piece.length;
    return out;
  }

  /**
   * What was held back, once the upstream has ended. `rest` is an event that it did not end: not to be sent when the
   * stream broke.
   */
  end(): HeldEnd {
    const rest: Buffer[] = [];
    const last = this.#join(NOTHING_YET);
    if (last !== undefined) {
      const ended = Buffer.concat([last, EMPTY_LINE]);
      this.#send(ended, this.#take(ended, 0, ended.length), rest);
    }
    if (this.#oversized) rest.push(EMPTY_LINE);
    return { rest, usageEvent: this.#usageEvent, closing: this.#closing };
  }

  get #heldLength(): number {
    return (this.#usageEvent?.length ?? 0) + this.#closingLength;
  }

  /** Reads a whole event: counts it, and says where it goes. */
  #take(bytes: Buffer, from: number, to: number): Way {
    const event = this.#event;
    event.read(bytes, from, to);
    if (!event.data) return 'aside';
    if (event.done) {
      this.#finished = true;
      this.#closed = true;
      return 'close';
    }
    const type = event.typeStart === -1 ? '' : bytes.toString('latin1', event.typeStart, event.typeEnd);
    if (type === 'ping') return 'aside';
    this.#count(bytes, type);
    if (this.#closed) return 'close';
    const { usage, last } = this.#shape;
    const final = usage === undefined ? event.usageEnd !== -1 && !event.running : usage.test(type);
    if (this.#family === 'images') this.#countImage(bytes.subarray(from, to), final);
    const closing = last?.test(type) ?? false;
    if (closing) this.#closed = true;
    if (closing || (final && usage !== undefined)) this.#finished = true;
    return final ? 'hold' : closing ? 'close' : 'pass';
  }

  #count(bytes: Buffer, type: string): void {
    const { text, usageStart, usageEnd, outputTokens } = this.#event;
    this.#events++;
    if (text > 0 && (this.#shape.delta?.test(type) ?? true)) {
      this.#textEvents++;
      this.#freshEvents++;
      // Most servers send a token an event: then its length says nothing, and half an answer must not cost more than all of it.
      this.#freshBytes += text > LONGEST_TOKEN ? text : Math.min(text, BYTES_PER_TOKEN);
    }
    if (usageEnd === -1) return;
    const usage = bytes.subarray(usageStart, usageEnd);
    if (this.#family === 'messages' && type === 'message_start') this.#startUsage = usage;
    else this.#usage = usage;
    if (outputTokens === -1) return;
    this.#stated = outputTokens;
    this.#freshEvents = 0;
    this.#freshBytes = 0;
  }

  #countImage(event: Buffer, final: boolean): void {
    if (final) this.#images++;
    else this.#imageBegun ||= !event.includes(ERROR);
  }

  /** An event that can't be read to its end: its bytes are all there is to count. */
  #countRest(length: number): void {
    if (this.#shape.text.length > 0) this.#freshBytes += length;
  }

  /** The event at hand, when earlier chunks have a part of it. */
  #join(last: Buffer): Buffer | undefined {
    if (this.#partialLength === 0) return undefined;
    this.#append(last);
    const joined = this.#partial.subarray(0, this.#partialLength);
    this.#partial = NOTHING_YET;
    this.#partialLength = 0;
    return joined;
  }

  /** Keeps the beginning of an event until it can be told what it is. */
  #wait(piece: Buffer, out: Buffer[]): void {
    if (this.#oversized) {
      this.#countRest(piece.length);
      out.push(piece);
      return;
    }
    this.#append(piece);
    if (this.#partialLength <= MAX_EVENT) return;
    const joined = this.#join(NOTHING_YET)!;
    this.#take(joined, 0, joined.length);
    this.#send(joined, 'pass', out);
    this.#oversized = true;
  }

  #append(piece: Buffer): void {
    const length = this.#partialLength + piece.length;
    if (length > this.#partial.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, this.#partial.length * 2, LEAST_PARTIAL));
      this.#partial.copy(larger, 0, 0, this.#partialLength);
      this.#partial = larger;
    }
    piece.copy(this.#partial, this.#partialLength);
    this.#partialLength = length;
  }

  #send(bytes: Buffer, way: Way, out: Buffer[]): void {
    if (way === 'aside') out.push(bytes);
    else if (way === 'close') {
      this.#closing.push(bytes);
      this.#closingLength += bytes.length;
      if (this.#closingLength > MAX_CLOSING) this.#release(out);
    } else {
      this.#release(out);
      if (way === 'hold') this.#usageEvent = bytes;
      else out.push(bytes);
    }
  }

  /** What was held turned out not to be the end. */
  #release(out: Buffer[]): void {
    if (this.#usageEvent !== undefined) out.push(this.#usageEvent);
    out.push(...this.#closing);
    this.#usageEvent = undefined;
    this.#closing = [];
    this.#closingLength = 0;
  }
}

function parse(json: Buffer | undefined): object | undefined {
  if (json === undefined) return undefined;
  try {
    return JSON.parse(json.toString()) as object;
  } catch {
    return undefined;
  }
}

/** `messages` repeats some counts of its start as null. */
function withoutNulls(usage: object | undefined): object {
  return Object.fromEntries(Object.entries(usage ?? {}).filter(([, value]) => value !== null));
}
