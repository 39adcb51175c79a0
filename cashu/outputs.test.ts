import { blindMessage, parseSecret } from '@cashu/cashu-ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  deriveOutputSecret,
  deserializeOutputs,
  lockedSecret,
  type Output,
  randomOutputSecret,
  serializeOutputs,
  splitAmount,
} from './outputs.ts';

const viewKey = Buffer.alloc(32, 7);
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

test('a split is the amount, in the fewest powers of two, smallest first', () => {
  const denominations = Array.from({ length: 64 }, (_, power) => 2n ** BigInt(power));
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: 2n ** 60n }), (amount) => {
      const split = splitAmount(amount, denominations, 64)!;
      expect(split.reduce((sum, part) => sum + part, 0n)).toBe(amount);
      expect(split.length).toBe(amount.toString(2).replaceAll('0', '').length);
      expect([...split].sort((a, b) => Number(a - b))).toEqual(split);
    }),
  );
});

test('what a keyset can’t make, or only with a heap of signatures, is not made', () => {
  expect(splitAmount(7n, [2n, 4n], 64)).toBeUndefined();
  expect(splitAmount(1_000_000n, [1n], 256)).toBeUndefined();
  expect(splitAmount(5n, [], 64)).toBeUndefined();
});

test('every number of every session has a nonce and a blinding factor of its own, found again with the view key', () => {
  fc.assert(
    fc.property(u64, u64, u64, (session, first, second) => {
      const one = deriveOutputSecret(viewKey, session, first);
      expect(deriveOutputSecret(viewKey, session, first)).toEqual(one);
      expect(one.nonce).not.toBe(one.r);
      if (first !== second) {
        const other = deriveOutputSecret(viewKey, session, second);
        expect(new Set([one.nonce, one.r, other.nonce, other.r]).size).toBe(4);
      }
      expect(() => blindMessage(Buffer.from('secret'), BigInt(`0x${one.r}`))).not.toThrow();
    }),
    { numRuns: 20 },
  );
});

test('the derivation is the one that money is found again by', () => {
  // Computed with another implementation of HMAC: changing it would lose money in every ledger that is lost.
  expect(deriveOutputSecret(viewKey, 2n, 3n)).toEqual({
    nonce: '6c80cfc282f8950f6a0f4026a912829cbc167bc84ca9ec84e50ea28e6b0fc79e',
    r: '72b6a22d4ca59d8029144e65a3c9ef906b4fdd7977d4be56a94a21d529756960',
  });
});

test('without a view key they are random', () => {
  let byte = 1;
  const { nonce, r } = randomOutputSecret((bytes) => new Uint8Array(bytes).fill(byte++));
  expect([nonce, r]).toEqual(['01'.repeat(32), '02'.repeat(32)]);
});

test('a secret is P2PK with our key and nothing else', () => {
  const [kind, data] = parseSecret(lockedSecret(`02${'11'.repeat(32)}`, 'ab'.repeat(32)));
  expect(kind).toBe('P2PK');
  expect(data).toEqual({ nonce: 'ab'.repeat(32), data: `02${'11'.repeat(32)}`, tags: [] });
});

test('outputs come back from the ledger as they went in', () => {
  const output: fc.Arbitrary<Output> = fc.record({
    amount: u64,
    keyset: fc.string(),
    secret: fc.string(),
    r: fc.string(),
    b: fc.string(),
    y: fc.string(),
  });
  fc.assert(
    fc.property(fc.array(output), (outputs) => {
      expect(deserializeOutputs(serializeOutputs(outputs))).toEqual(outputs);
    }),
  );
  expect(() => deserializeOutputs('{"version":2,"outputs":[]}')).toThrow('newer');
  expect(() => deserializeOutputs('{"version":1,"outputs":[["1"]]}')).toThrow('damaged');
});
