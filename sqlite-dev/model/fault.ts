import { BadRequestError } from './answer.ts';

/**
 * What to do wrong with one answer. Written as a list, `usage=none,crlf`, in any of these places (all that are found
 * apply; where one is said twice, the first place wins):
 *
 * - the header `x-stub-fault`
 * - anywhere in the body, as `[[fault:usage=none,crlf]]`: a prompt gets through proxies that drop headers
 * - after a `!` in the model's name: `stub-chat!usage=none`
 * - `POST /control` (see control.ts)
 */
export interface Fault {
  /** An error status, answered with a JSON error. */
  status?: number;
  /** An error status, answered with a page of HTML. */
  html?: number;
  /** Another status than 200 for a good answer. */
  success?: number;
  /** Never answers. */
  hang?: boolean;
  /** Ms before the first byte. */
  slow?: number;
  /** Ms between events. */
  drip?: number;
  /** Cuts the connection: `before` any byte, after the `headers`, or after that many events (buffered: bytes). */
  reset?: 'before' | 'headers' | number;
  /** Leaves the usage out, or makes it unusable. */
  usage?: 'none' | 'null' | 'negative' | 'float' | 'string' | 'zero' | 'huge';
  /** Cuts a JSON body short; in a stream, the third event. */
  broken?: boolean;
  /** Ends a stream after two events with an error event. */
  error?: boolean;
  /** A stream that goes on until the client leaves, whatever `max_tokens` says. */
  endless?: boolean;
  /** Length of the completion in tokens, within `max_tokens`. */
  tokens?: number;
  /** Length of the completion in tokens, whatever `max_tokens` says. */
  overrun?: number;
  /** Pads a JSON body by that many bytes. */
  huge?: number;
  /** Added to the true `content-length`. */
  length?: number;
  /** Prompt tokens reported as read from the cache. */
  cached?: number;
  /** Prompt tokens reported as written to the cache (Anthropic). */
  cachewrite?: number;
  /** Ends the lines of events with \r\n. */
  crlf?: boolean;
  /** Writes a stream byte by byte. */
  split?: boolean;
  /** Puts a comment before each event. */
  heartbeat?: boolean;
  /** Leaves `[DONE]` out. */
  nodone?: boolean;
  /** Compresses without being asked to. */
  gzip?: boolean;
}

const WORDS = { usage: ['none', 'null', 'negative', 'float', 'string', 'zero', 'huge'] as const };
const FLAGS = ['hang', 'broken', 'error', 'endless', 'crlf', 'split', 'heartbeat', 'nodone', 'gzip'] as const;
const NUMBERS = [
  ...(['status', 'html', 'success', 'slow', 'drip', 'tokens', 'overrun'] as const),
  ...(['huge', 'length', 'cached', 'cachewrite'] as const),
];

/** @throws BadRequestError naming what is no fault: a test with a typing error must not pass as one without a fault */
export function parseFault(text: string): Fault {
  const fault: Fault = {};
  for (const item of text.split(',').map((part) => part.trim())) {
    if (item === '') continue;
    const [name = '', value] = item.split('=', 2);
    const flag = FLAGS.find((known) => known === name);
    const numeric = NUMBERS.find((known) => known === name);
    const word = WORDS.usage.find((known) => known === value);
    if (flag && value === undefined) fault[flag] = true;
    else if (numeric && isNumber(value)) fault[numeric] = Number(value);
    else if (name === 'usage' && word) fault.usage = word;
    else if (name === 'reset' && (value === 'before' || value === 'headers')) fault.reset = value;
    else if (name === 'reset' && isNumber(value)) fault.reset = Number(value);
    else throw new BadRequestError('fault', `"${item}" is no fault`);
  }
  return fault;
}

/** All faults that a request itself asks for. */
export function faultOf(header: string | undefined, model: string, body: Buffer): Fault {
  const inBody = [...textIn(body).matchAll(/\[\[fault:([^\]]{1,200})\]\]/g)].map(([, text = '']) => text);
  const inName = model.includes('!') ? model.slice(model.indexOf('!') + 1) : '';
  const places = [header ?? '', ...inBody, inName];
  return Object.assign({}, ...places.reverse().map(parseFault));
}

function textIn(body: Buffer): string {
  return body.includes('[[fault:') ? body.toString('latin1') : '';
}

function isNumber(value: string | undefined): value is string {
  return value !== undefined && /^-?\d{1,12}$/.test(value);
}
