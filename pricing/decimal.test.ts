import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDecimal, parseDecimal } from './decimal.ts';

describe('a decimal', () => {
  it.each([
    ['0', 0n],
    ['1', 10n ** 24n],
    ['0.0000000375', 37_500_000_000_000_000n],
    ['0.0000000416666666666667', 41_666_666_666_666_700n],
    ['3.75e-8', 37_500_000_000_000_000n],
    [0.0000025, 2_500_000_000_000_000_000n],
    [2.5e-7, 250_000_000_000_000_000n],
    ['00.50', 5n * 10n ** 23n],
  ])('%s is kept exactly', (text, units) => {
    expect(parseDecimal(text, 24)).toBe(units);
  });

  it.each([
    ['-1'],
    [-0.5],
    ['+1'],
    ['.5'],
    ['1.'],
    ['0x10'],
    [' 1'],
    ['1,5'],
    [''],
    ['NaN'],
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [null],
    [undefined],
    [true],
    [{}],
    [['1']],
    ['1e999'],
    ['1e12'],
    ['1'.repeat(1000)],
    [`0.${'0'.repeat(10_000_000)}1`],
    ['1e-25'],
    ['0.0000000000000000000000001'],
  ])('%j is refused', (value) => {
    expect(() => parseDecimal(value, 24)).toThrow(expect.objectContaining({ code: 'invalid_decimal' }));
  });

  it('comes back as it went in', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 10n ** 36n - 1n), (units) => {
        expect(parseDecimal(formatDecimal(units, 24), 24)).toBe(units);
      }),
    );
  });
});
