import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formParts } from './multipart.ts';
import { readRequest } from './read-request.ts';
import { RequestError } from './request-error.ts';

const TYPE = 'multipart/form-data; boundary=XX';
const PATH = '/v1/audio/transcriptions';

type Part = [header: string, content: string | Buffer];
const field = (name: string, value: string): Part => [
  `Content-Disposition: form-data; name="${name}"`,
  value,
];
const file = (content: Buffer, name = 'file'): Part => [
  `Content-Disposition: form-data; name="${name}"; filename="a.bin"\r\nContent-Type: application/octet-stream`,
  content,
];
const form = (...parts: Part[]) =>
  Buffer.concat([
    ...parts.flatMap(([header, content]) => [
      Buffer.from(`--XX\r\n${header}\r\n\r\n`),
      Buffer.from(content as Buffer),
      Buffer.from('\r\n'),
    ]),
    Buffer.from('--XX--\r\n'),
  ]);
const read = (body: Buffer, path = PATH, type = TYPE) => readRequest(path, type, body);

/** A WAV header: 16 bit mono at `rate`. */
function wav(rate: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.write('RIFF\0\0\0\0WAVEfmt ', 'latin1');
  buffer.writeUInt32LE(16, 16);
  buffer.writeUInt16LE(1, 20);
  buffer.writeUInt16LE(1, 22);
  buffer.writeUInt32LE(rate, 24);
  buffer.writeUInt16LE(16, 34);
  return buffer;
}

describe('a form', () => {
  it('tells its model, its flags and how long its audio can be', () => {
    const facts = read(form(file(wav(16_000, 64_000)), field('model', 'whisper'), field('stream', 'true')));
    expect(facts).toMatchObject({
      family: 'audio_transcription',
      model: 'whisper',
      stream: true,
      audioSeconds: 2,
    });
    expect(read(form(field('model', 'w'), file(Buffer.alloc(10_000)))).audioSeconds).toBe(10);
  });

  it('is heard for a second at least', () => {
    expect(read(form(file(Buffer.alloc(0)), field('model', 'w'))).audioSeconds).toBe(1);
    expect(() => read(form(field('model', 'w'), field('prompt', 'x')))).toThrow(/needs a part "file"/);
  });

  it('has its audio counted where only some servers take it for a file', () => {
    expect(read(form(field('file', 'x'.repeat(9000)), field('model', 'w'))).audioSeconds).toBe(9);
  });

  it('asks for images', () => {
    const facts = read(
      form(
        field('model', 'm'),
        field('n', '3'),
        field('prompt', 'x'.repeat(30)),
        file(Buffer.alloc(9), 'image[]'),
      ),
      '/v1/images/edits',
    );
    expect(facts).toMatchObject({ images: 3, copies: 3, audioSeconds: 0 });
    expect(facts.estimateInput).toBeGreaterThanOrEqual(775);
  });

  it('points into the body instead of copying', () => {
    const content = Buffer.from([13, 10, 45, 45, 0, 255, 13, 10]);
    const body = form(file(content), field('model', ''));
    expect(
      formParts(TYPE, body).map((part) => [part.name, part.file, body.subarray(part.start, part.end)]),
    ).toEqual([
      ['file', true, content],
      ['model', false, Buffer.alloc(0)],
    ]);
  });

  const model = field('model', 'm');
  const plain = form(model).toString('latin1');
  it.each<[string, Buffer | string, string?]>([
    ['two models', form(model, field('model', 'n'))],
    ['a model in another case', form(model, field('Model', 'n'))],
    ['a model as a file', form(file(Buffer.from('m'), 'model'))],
    ['no model', form(field('prompt', 'x'))],
    ['a second name in one header', form(['Content-Disposition: form-data; name="model"; name="x"', 'm'])],
    ['two dispositions', form([`${model[0]}\r\n${field('x', '')[0]}`, 'm'])],
    ['an escaped name', form(['Content-Disposition: form-data; name="mo\\del"', 'm'])],
    ['an encoded part', form([`${model[0]}\r\nContent-Transfer-Encoding: base64`, 'bQ=='])],
    ['a folded header', form([`${model[0]}\r\n x: y`, 'm'])],
    ['bare line feeds', plain.replaceAll('\r\n', '\n')],
    ['a boundary after a bare line feed', form([model[0], `model\n--XX\r\n${field('x', '')[0]}\r\n\r\ny`])],
    ['a longer boundary inside', form([model[0], 'm\r\n--XXY'])],
    ['a preamble', `hello\r\n${plain}`],
    ['an epilogue', `${plain}--XX\r\n`],
    ['no end', plain.slice(0, -8)],
    ['no header', '--XX\r\n\r\nm\r\n--XX--\r\n'],
    ['a boundary right behind the header', `--XX\r\n${model[0]}\r\n\r\n--XX--\r\n`],
    ['an endless header', `--XX\r\nX: ${'y'.repeat(1e6)}`],
    ['too many parts', form(...Array.from({ length: 200 }, (_, i) => field(`f${i}`, '')))],
    ['a bad count', form(model, field('n', '1e3'))],
    ['a bad flag', form(model, field('stream', '1'))],
    ['two boundaries', plain, `${TYPE}; boundary=YY`],
    ['no boundary', plain, 'multipart/form-data'],
    ['a strange boundary', plain, 'multipart/form-data; boundary="X\r\nX"'],
  ])('is refused for %s', (_, body, type = TYPE) => {
    const bytes = typeof body === 'string' ? Buffer.from(body, 'latin1') : body;
    expect(() => read(bytes, PATH, type)).toThrow(RequestError);
  });

  it('is read or refused, whatever its bytes', () => {
    const piece = fc.constantFrom('--XX', '\r\n', '--', model[0], '\r\n\r\n', 'm', '\n', ';', 'name="n"');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        try {
          read(Buffer.from(`--XX\r\n${pieces.join('')}`));
        } catch (error) {
          expect(error).toBeInstanceOf(RequestError);
        }
      }),
      { numRuns: 5000 },
    );
  });
});
