import { RequestError } from './request-error.ts';

/** One part of a form: where its content stands in the body, and what it is called. */
export interface FormPart {
  name: string;
  /** A part with a file name is a file, whatever it is called. */
  file: boolean;
  start: number;
  end: number;
}

const MAX_PARTS = 128;
const MAX_PART_HEADER = 4096;

const BOUNDARY = /^multipart\/form-data\s*;\s*boundary=(?:"([^"\\]{1,70})"|([^\s;"\\]{1,70}))\s*;?\s*$/i;
/** RFC 2046, bchars. */
const BOUNDARY_CHARACTERS = /^[0-9A-Za-z'()+_,\-./:=? ]*[0-9A-Za-z'()+_,\-./:=?]$/;
const DISPOSITION =
  /^form-data((?:\s*;\s*(?:name|filename|filename\*)\s*=\s*(?:"[^"]*"|[^\s;"]+))+)\s*;?\s*$/i;
/** Names with escapes or blanks are read in more than one way. */
const NAME = /^[A-Za-z0-9_.\-[\]]{1,100}$/;

/**
 * The parts of a `multipart/form-data` body (RFC 7578), in order. Nothing is copied, one pass.
 *
 * Stricter than most: no preamble, no bare line feeds, no transfer encodings, no text behind the end. Where readers of
 * forms differ, a client could show us one `model` and the upstream another.
 *
 * @throws RequestError
 */
export function formParts(contentType: string, body: Buffer): FormPart[] {
  const match = BOUNDARY.exec(contentType);
  const boundary = match?.[1] ?? match?.[2];
  if (boundary === undefined || !BOUNDARY_CHARACTERS.test(boundary)) throw malformed('has no plain boundary');
  const delimiter = Buffer.from(`--${boundary}`, 'latin1');
  if (!startsWith(body, 0, `--${boundary}`)) throw malformed('does not begin with its boundary');

  const parts: FormPart[] = [];
  let at = delimiter.length;
  for (;;) {
    if (startsWith(body, at, '--')) {
      const rest = body.length - at - 2;
      if (rest === 0 || (rest === 2 && startsWith(body, at + 2, '\r\n'))) return parts;
      throw malformed('goes on after its end');
    }
    if (!startsWith(body, at, '\r\n')) throw malformed('has a boundary that is not a line of its own');
    if (parts.length === MAX_PARTS) throw malformed(`has more than ${MAX_PARTS} parts`);
    const headerEnd = body.subarray(at, at + MAX_PART_HEADER).indexOf('\r\n\r\n');
    if (headerEnd === -1) throw malformed('has a part without a header, or with too long a one');
    const start = at + headerEnd + 4;
    const next = body.indexOf(delimiter, start);
    const end = next - 2;
    // Some readers end a part at a bare line feed too, or at the blank line that ended its header.
    if (end < start || !startsWith(body, end, '\r\n'))
      throw malformed('has a part that does not end with its boundary');
    parts.push({ ...readHeader(body.toString('latin1', at + 2, at + headerEnd)), start, end });
    at = next + delimiter.length;
  }
}

function readHeader(header: string): Pick<FormPart, 'name' | 'file'> {
  const lines = header.split('\r\n');
  let disposition: string | undefined;
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 1 || /[\r\n\0]/.test(line)) throw malformed('has a broken header');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === 'content-disposition') {
      if (disposition !== undefined) throw malformed('has a part with two names');
      disposition = value;
    } else if (name === 'content-transfer-encoding' && !/^(?:7bit|8bit|binary)$/i.test(value)) {
      throw malformed('has an encoded part');
    } else if (!/^[a-z0-9][a-z0-9-]*$/.test(name)) {
      throw malformed('has a broken header');
    }
  }
  const parameters = DISPOSITION.exec(disposition ?? '')?.[1];
  if (parameters === undefined) throw malformed('has a part without a plain name');
  const named = [...parameters.matchAll(/;\s*(name|filename\*?)\s*=\s*(?:"([^"]*)"|([^\s;"]+))/gi)];
  const names = named.filter((parameter) => parameter[1]!.toLowerCase() === 'name');
  const name = names[0]?.[2] ?? names[0]?.[3] ?? '';
  if (names.length !== 1 || !NAME.test(name)) throw malformed('has a part without a plain name');
  return { name, file: named.length > 1 };
}

function startsWith(body: Buffer, at: number, text: string): boolean {
  return body.length >= at + text.length && body.toString('latin1', at, at + text.length) === text;
}

function malformed(what: string): RequestError {
  return new RequestError('invalid_request', `The multipart/form-data body ${what}.`);
}
