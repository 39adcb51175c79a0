import { decodePaymentRequest } from '@cashu/cashu-ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { paymentRequest } from './payment-request.ts';

test('a wallet reads what was asked for', () => {
  const fields = fc.record({
    amount: fc.option(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { nil: undefined }),
    unit: fc.constantFrom('sat' as const, 'msat' as const),
    mints: fc.array(fc.webUrl(), { minLength: 1, maxLength: 40 }),
    description: fc.option(fc.string({ unit: 'grapheme', maxLength: 300 }), { nil: undefined }),
  });
  fc.assert(
    fc.property(fields, (asked) => {
      const read = decodePaymentRequest(paymentRequest(asked));
      expect(read.amount?.toBigInt()).toBe(asked.amount);
      expect(read).toMatchObject({ unit: asked.unit, mints: asked.mints });
      expect(read.description).toBe(asked.description);
      expect(read.transport ?? []).toEqual([]);
    }),
  );
});

test('it fits a header', () => {
  expect(paymentRequest({ amount: 21n, unit: 'sat', mints: ['https://mint.example.com'] })).toMatch(
    /^creqA[\w-]+$/,
  );
});

test('an amount that no wallet can read is refused', () => {
  expect(() => paymentRequest({ amount: 2n ** 64n, unit: 'msat', mints: [] })).toThrow(RangeError);
});
