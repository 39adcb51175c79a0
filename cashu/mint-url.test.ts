import fc from 'fast-check';
import { expect, test } from 'vitest';
import { normalizeMintUrl } from './mint-url.ts';

test.each([
  ['https://Mint.Example.COM', 'https://mint.example.com'],
  ['https://mint.example.com:443/', 'https://mint.example.com'],
  ['http://mint.example.com:80', 'http://mint.example.com'],
  ['HTTPS://mint.example.com/Bitcoin/', 'https://mint.example.com/Bitcoin'],
  ['https://mint.example.com//', 'https://mint.example.com'],
  ['https://mint.example.com/a/../b', 'https://mint.example.com/b'],
  ['http://127.0.0.1:3338/', 'http://127.0.0.1:3338'],
  ['http://0x7f.1:3338', 'http://127.0.0.1:3338'],
  ['http://[::1]:3338', 'http://[::1]:3338'],
])('%s is %s', (url, normalized) => {
  expect(normalizeMintUrl(url)).toBe(normalized);
});

test.each([
  'mint.example.com',
  'ftp://mint.example.com',
  'javascript:alert(1)',
  'https://user:secret@mint.example.com',
  'https://mint.example.com?x=1',
  'https://mint.example.com#x',
  'https://mint.example.com/%2e%2e/admin',
  'https://mint.example.com\\@evil.example',
  ' https://mint.example.com',
  `https://mint.example.com/${'a'.repeat(600)}`,
  '',
])('%s is no mint', (url) => {
  expect(normalizeMintUrl(url)).toBeUndefined();
});

test('a normalised URL is normalised', () => {
  fc.assert(
    fc.property(fc.webUrl(), (url) => {
      const once = normalizeMintUrl(url);
      if (once !== undefined) expect(normalizeMintUrl(once)).toBe(once);
    }),
  );
});
