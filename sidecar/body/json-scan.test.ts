import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countElements, findMember, scanObject } from './json-scan.ts';

const scan = (text: string) => scanObject(Buffer.from(text));
const keys = (text: string) => scan(text)?.members.map((member) => member.key);

describe('scanning an object', () => {
  it('finds keys and values where they stand', () => {
    const text = ' {"a" : [1,{"b":"}"}] ,\n"c":"x\\"y","d":-1.5e+3}\r\n';
    const found = scan(text)!;
    expect(
      found.members.map(({ key, valueStart, valueEnd }) => [key, text.slice(valueStart, valueEnd)]),
    ).toEqual([
      ['a', '[1,{"b":"}"}]'],
      ['c', '"x\\"y"'],
      ['d', '-1.5e+3'],
    ]);
    expect([text[found.open], text[found.close]]).toEqual(['{', '}']);
    expect(found.containers).toBe(2);
  });

  it.each(['\\"', '\\\\', '\\\\\\"', 'x'])('finds the end of a long string with %s before it', (tail) => {
    const text = `{"a":"${'x'.repeat(40)}${tail}","b":["${'x'.repeat(40)}${tail}"]}`;
    expect(keys(text)).toEqual(Object.keys(JSON.parse(text)));
    expect(scan(`{"a":"${'x'.repeat(40)}\\"}`)).toBeUndefined();
  });

  it('resolves escapes in keys, so that no spelling hides a member', () => {
    expect(keys('{"\\u006dodel":1,"m\\u006fdel":2,"schön":3}')).toEqual(['model', 'model', 'schön']);
    expect(findMember(scan('{"a":1,"\\u0061":2}')!, 'a')!.valueStart).toBe(16);
  });

  it.each([
    ['', 'nothing'],
    ['[]', 'an array'],
    ['{', 'an open object'],
    ['{"a":1', 'no end'],
    ['{"a":1,}', 'a trailing comma'],
    ['{a:1}', 'a bare key'],
    ['{"a" 1}', 'no colon'],
    ['{"a":}', 'no value'],
    ['{"a":nul}', 'half a word'],
    ['{"a":01}', 'no JSON number'],
    ['{"a":[}}', 'crossed brackets'],
    ['{"a":"\\"}', 'an open string'],
    ['{"a":1}{', 'something behind it'],
    ['{"\\x":1}', 'a bad escape in a key'],
    [`{"a":${'['.repeat(200)}${']'.repeat(200)}}`, 'too deep'],
    [`{${Array.from({ length: 1025 }, (_, i) => `"${i}":0`).join()}}`, 'too wide'],
  ])('refuses %s (%s)', (text) => {
    expect(scan(text)).toBeUndefined();
  });

  it('agrees with JSON.parse on any object', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()),
        fc.nat(3),
        (object, indent) => {
          const bytes = Buffer.from(JSON.stringify(object, null, indent));
          const found = scanObject(bytes)!;
          const parsed = found.members.map(({ key, valueStart, valueEnd }) => [
            key,
            JSON.parse(bytes.toString('utf8', valueStart, valueEnd)),
          ]);
          expect(parsed).toEqual(Object.entries(JSON.parse(bytes.toString())));
        },
      ),
    );
  });

  it('survives any bytes, and takes what JSON.parse takes', () => {
    const noise = fc.array(fc.constantFrom(...'{}[]",:\\ tfn1e-.u0'), { maxLength: 40 });
    fc.assert(
      fc.property(noise, (characters) => {
        const text = `{${characters.join('')}}`;
        const found = scan(text);
        let parsed: unknown;
        try {
          parsed = JSON.parse(text);
        } catch {
          return;
        }
        expect(new Set(found?.members.map((member) => member.key))).toEqual(
          new Set(Object.keys(parsed as object)),
        );
      }),
      { numRuns: 20_000 },
    );
  });

  it.each([
    ['quotes behind escapes', (n: number) => `{"a":"${'\\"'.repeat(n)}"}`],
    ['backslashes', (n: number) => `{"a":"${'\\\\'.repeat(n)}"}`],
    ['short strings', (n: number) => `{"a":[${'"",'.repeat(n)}""]}`],
    ['an open string', (n: number) => `{"a":"${'\\"'.repeat(n)}`],
    ['brackets', (n: number) => `{"a":[${'[],'.repeat(n)}[]]}`],
  ])('looks at each byte of %s a bounded number of times', (_, make) => {
    const looks = (text: string) => countLooks(Buffer.from(text), (bytes) => scanObject(bytes));
    expect(looks(make(4000))).toBeLessThan(looks(make(1000)) * 4.2);
  });
});

describe('counting elements', () => {
  it.each([
    ['[]', 0],
    [' [ ] ', 0],
    ['[1]', 1],
    ['[{"a":[1,2]},"x,y",[3]]', 3],
    ['{}', undefined],
    ['[1', undefined],
    ['[1,]', undefined],
  ])('%s has %s', (text, count) => {
    expect(countElements(Buffer.from(text), 0, text.length)).toBe(count);
  });
});

/** Bytes looked at: each indexed one, and those that `indexOf` ran over. */
function countLooks(bytes: Buffer, work: (bytes: Buffer) => void): number {
  let looks = 0;
  const watched = new Proxy(bytes, {
    get(target, name) {
      if (typeof name === 'string' && /^\d+$/.test(name)) looks++;
      if (name === 'indexOf') {
        return (value: number, from: number) => {
          const found = target.indexOf(value, from);
          looks += (found === -1 ? target.length : found) - from + 1;
          return found;
        };
      }
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  work(watched);
  return looks;
}
