import { mutateBytes } from './byte-mutation.ts';
import type { Random } from './random.ts';

interface Part {
  name: string;
  filename?: string;
  type?: string;
  content: string;
}

export interface ValidForm {
  path: string;
  parts: readonly Part[];
}

const file = { name: 'file', filename: 'a.wav', type: 'audio/wav', content: `RIFF${'\u0001'.repeat(200)}` };
const picture = {
  name: 'image',
  filename: 'a.png',
  type: 'image/png',
  content: '\u0089PNG\r\n\u001a\n'.repeat(9),
};

export const validForms: readonly ValidForm[] = [
  {
    path: '/v1/audio/transcriptions',
    parts: [
      file,
      { name: 'model', content: 'stub-transcribe' },
      { name: 'response_format', content: 'json' },
    ],
  },
  {
    path: '/v1/audio/transcriptions',
    parts: [
      { name: 'model', content: 'stub-transcribe' },
      { name: 'stream', content: 'true' },
      { name: 'prompt', content: 'names' },
      file,
    ],
  },
  { path: '/audio/translations', parts: [file, { name: 'model', content: 'stub-transcribe' }] },
  {
    path: '/v1/images/edits',
    parts: [
      { name: 'model', content: 'stub-image' },
      { name: 'prompt', content: 'a hat' },
      picture,
      { name: 'n', content: '2' },
    ],
  },
  { path: '/v1/images/variations', parts: [picture, { name: 'model', content: 'stub-image' }] },
];

export interface Form {
  path: string;
  type: string;
  body: Buffer;
}

/** A form as a client writes it, changed in its parts, its boundary or its bytes. */
export function mutateForm({ path, parts: valid }: ValidForm, random: Random): Form {
  const parts = valid.map((part) => ({ ...part }));
  let boundary = random.pick(['----x', 'b0undary', 'a b', "'()+_,-./:=?", random.text(70)]);
  let type = `multipart/form-data; boundary=${/[^\w-]/.test(boundary) ? `"${boundary}"` : boundary}`;
  let written: Buffer | undefined;
  switch (random.int(12)) {
    case 0:
      parts.splice(random.int(parts.length), 1);
      break;
    case 1:
      parts.splice(random.int(parts.length + 1), 0, { ...random.pick(parts) });
      break;
    case 2:
      parts.splice(random.int(parts.length + 1), 0, {
        name: random.pick(['model', 'MODEL', 'n', 'stream', 'model[]']),
        content: random.pick(contents),
      });
      break;
    case 3:
      random.pick(parts).content = random.pick(contents);
      break;
    case 4:
      random.pick(parts).name = random.pick([
        '',
        'mod"el',
        'model\r\nx',
        'm%6fdel',
        'ｍodel',
        'a'.repeat(200),
        'filename',
        'name',
      ]);
      break;
    case 5:
      random.pick(parts).filename = random.pick([
        '',
        '../../etc/passwd',
        'a"; name="model',
        'ü.wav',
        '\u0000',
      ]);
      break;
    case 6:
      type = random.pick(types).replaceAll('B', boundary);
      break;
    case 7:
      random.pick(parts).content =
        `a\r\n--${boundary}${random.pick(['', '--', ' ', '\r\n', '--\r\n', 'x'])}\r\nb`;
      break;
    case 8:
      written = write(parts, boundary, random.pick(['\n', '\r', '\r\n\r\n', ' \r\n']));
      break;
    case 9:
      written = mutateBytes(write(parts, boundary, '\r\n'), random);
      break;
    case 10:
      boundary = random.pick(['', boundary.slice(1), `${boundary} `, boundary.toUpperCase()]);
      break;
    default:
  }
  return { path, type, body: written ?? write(parts, boundary, '\r\n') };
}

const contents = [
  '',
  '0',
  '-1',
  '1.5',
  '1e3',
  '99999',
  'true',
  'TRUE',
  'stub-sats',
  '\u0000',
  '\u00ff\u00fe',
  'x'.repeat(70_000),
];
const types = [
  'multipart/form-data',
  'multipart/form-data; boundary=',
  'multipart/form-data; boundary="B',
  'multipart/form-data; boundary=B; boundary=c',
  'multipart/form-data; charset=utf-8; boundary=B',
  'Multipart/Form-Data;boundary=B',
  'multipart/form-data; boundary*0=B',
  'multipart/mixed; boundary=B',
  'application/x-www-form-urlencoded',
  'application/json',
  'text/plain',
  `multipart/form-data; boundary=${'B'.repeat(80)}`,
];

function write(parts: readonly Part[], boundary: string, end: string): Buffer {
  const text = parts.map(({ name, filename, type, content }) =>
    [
      `--${boundary}`,
      `Content-Disposition: form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"`}`,
      ...(type === undefined ? [] : [`Content-Type: ${type}`]),
      '',
      content,
    ].join(end),
  );
  return Buffer.from(`${text.join(end)}${end}--${boundary}--${end}`, 'latin1');
}
