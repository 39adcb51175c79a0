import { DecimalError } from './errors.ts';

const SHAPE = /^(\d{1,40})(?:\.(\d{1,60}))?(?:[eE]([+-]?\d{1,2}))?$/;
const MAX_CHARACTERS = 110;
const MAX_INTEGER_DIGITS = 12;

/**
 * Reads a decimal as a whole number of 10^-`places`, exactly or not at all.
 *
 * Takes strings (`"0.0000000375"`, `"3.75e-8"`) and JSON numbers. A number is read as its shortest decimal form, which is
 * what was written as long as that had at most 15 significant digits; longer ones belong in a string.
 *
 * @throws DecimalError when it is negative, not a number, 10^12 or more, or finer than 10^-`places`
 */
export function parseDecimal(value: unknown, places: number): bigint {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string' || text.length > MAX_CHARACTERS) {
    throw new DecimalError('expected a decimal such as "0.0000015"');
  }
  const [, whole, fraction = '', exponent = '0'] = SHAPE.exec(text) ?? [];
  if (whole === undefined) throw new DecimalError(`expected a decimal such as "0.0000015", not "${text}"`);

  const digits = BigInt(whole + fraction);
  const shift = Number(exponent) - fraction.length + places;
  const scale = 10n ** BigInt(Math.abs(shift));
  if (shift < 0 && digits % scale !== 0n) {
    throw new DecimalError(`"${text}" is finer than 10^-${places}; round it up`);
  }
  const exact = shift < 0 ? digits / scale : digits * scale;
  if (exact >= 10n ** BigInt(MAX_INTEGER_DIGITS + places)) throw new DecimalError(`"${text}" is too large`);
  return exact;
}

/** The shortest decimal string of a whole, non-negative number of 10^-`places`. */
export function formatDecimal(value: bigint, places: number): string {
  const digits = value.toString().padStart(places + 1, '0');
  const whole = digits.slice(0, digits.length - places);
  const fraction = digits.slice(digits.length - places).replace(/0+$/, '');
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

/** a ÷ b, rounded up. Both are non-negative, b is not 0. */
export function ceilDivide(a: bigint, b: bigint): bigint {
  return (a + b - 1n) / b;
}

export function larger(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}

export function smaller(a: bigint, b: bigint): bigint {
  if (a < b) return a;
  return b;
}
