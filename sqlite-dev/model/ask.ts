import { BadRequestError } from './answer.ts';
import { type Fault, faultOf } from './fault.ts';

/** A request, read. Form fields and JSON members are both in `fields`; the first uploaded file is `file`. */
export interface Ask {
  model: string;
  fields: Readonly<Record<string, unknown>>;
  file: Buffer | undefined;
  fault: Fault;
}

/** @throws BadRequestError for what is not JSON, not a form, or names no model */
export async function readAsk(
  headers: { 'content-type'?: string | undefined; 'x-stub-fault'?: string | undefined },
  body: Buffer,
  standing: Fault,
): Promise<Ask> {
  const type = headers['content-type'] ?? '';
  const { fields, file } = type.startsWith('multipart/form-data')
    ? await readForm(type, body)
    : readJson(body);
  const named = fields.model;
  if (typeof named !== 'string' || named === '')
    throw new BadRequestError('model', 'you must provide a model');
  const fault = { ...standing, ...faultOf(headers['x-stub-fault'], named, body) };
  return { model: named.split('!', 1)[0] as string, fields, file, fault };
}

function readJson(body: Buffer): Pick<Ask, 'fields' | 'file'> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch {
    throw new BadRequestError('', 'the body is not JSON');
  }
  if (typeof parsed !== 'object' || parsed === null)
    throw new BadRequestError('', 'the body is not an object');
  return { fields: parsed as Record<string, unknown>, file: undefined };
}

async function readForm(type: string, body: Buffer): Promise<Pick<Ask, 'fields' | 'file'>> {
  const request = new Response(new Uint8Array(body), { headers: { 'content-type': type } });
  const fields: Record<string, unknown> = {};
  let file: Buffer | undefined;
  try {
    for (const [name, value] of await request.formData()) {
      if (typeof value === 'string') fields[name] = /^\d+$/.test(value) ? Number(value) : value;
      else file ??= Buffer.from(await value.arrayBuffer());
    }
  } catch {
    throw new BadRequestError('', 'the body is not a form');
  }
  return { fields, file };
}

/** A whole number among the fields, if it is there. */
export function wholeNumber(fields: Ask['fields'], name: string): number | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (Number.isSafeInteger(value) && Number(value) >= 0) return Number(value);
  throw new BadRequestError(name, `${name} must be a non-negative integer`);
}
