import { getPubKeyFromPrivKey } from '@cashu/cashu-ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parsePublicKey, parseViewKey, publicKeyOf } from './keys.ts';
import { refundPublicKey } from './refund-key.ts';

test('public keys are those of everybody else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (secret) => {
      fc.pre(secret.some((byte) => byte !== 0) && secret[0] !== 0xff);
      const key = Buffer.from(getPubKeyFromPrivKey(secret)).toString('hex');
      expect(publicKeyOf(secret)).toBe(key);
      expect(parsePublicKey(key.toUpperCase())).toBe(key);
    }),
    { numRuns: 20 },
  );
});

test.each([
  ['nothing', ''],
  ['no hex', 'zz'.repeat(33)],
  ['uncompressed', `04${'11'.repeat(64)}`],
  ['x-only', '11'.repeat(32)],
  ['no point of the curve', `02${'00'.repeat(31)}05`],
  ['beyond the field', `02${'ff'.repeat(32)}`],
])('money is not locked to %s', (_, key) => {
  expect(() => parsePublicKey(key)).toThrow(TypeError);
});

test('0 and the order are no secret keys', () => {
  expect(publicKeyOf(new Uint8Array(32))).toBeUndefined();
  expect(publicKeyOf(new Uint8Array(32).fill(0xff))).toBeUndefined();
});

test('a view key is 32 bytes', () => {
  expect(parseViewKey('AB'.repeat(32))).toEqual(Buffer.alloc(32, 0xab));
  for (const key of ['', 'ab', 'ab'.repeat(33), 'xy'.repeat(32)])
    expect(() => parseViewKey(key)).toThrow(TypeError);
});

test('a refund’s key is the same for the same secret, and another for any other', () => {
  const key = refundPublicKey('sk-1');
  expect(key).toMatch(/^0[23][0-9a-f]{64}$/);
  expect(refundPublicKey('sk-1')).toBe(key);
  expect(refundPublicKey('sk-2')).not.toBe(key);
});
