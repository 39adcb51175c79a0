import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadCatalogue } from '../../pricing/catalogue.ts';
import { staticRate } from '../../pricing/rate.ts';
import { NOTHING } from '../metering/usage.ts';
import { billStated } from './bill.ts';
import { saleOf } from './sale.ts';

const listing = JSON.parse(readFileSync(new URL('../../models.example.json', import.meta.url), 'utf8'));
const catalogue = loadCatalogue(listing, {
  version: 'v1',
  marginPercent: '0',
  modelBasedPricing: true,
  minRequestMsat: 1n,
});
const rate = staticRate('100000').current();

function sold(model: string) {
  return { path: '/v1/chat/completions', sale: saleOf(catalogue.find(model)!, rate, 'v1') };
}
const counted = { ...NOTHING, inputTokens: 4, outputTokens: 6, audioSeconds: 2 };

test('the upstream’s word is what is billed', () => {
  const bill = billStated(
    sold('stub-chat'),
    { usage: { ...NOTHING, outputTokens: 5 }, estimated: false },
    () => counted,
  );
  expect(bill.cost.totalMsat).toBe(10n);
  expect(bill.memo).toMatchObject({ outputTokens: 5, estimated: false });
});

test.each([
  ['it counted nothing', 'stub-chat', NOTHING, 16n],
  [
    'it counted tokens of what is sold by the second',
    'stub-transcribe',
    { ...NOTHING, inputTokens: 90 },
    200n,
  ],
  ['it counted seconds of what is sold by the token', 'stub-chat', { ...NOTHING, audioSeconds: 9 }, 16n],
])('what has a price is not free because %s', (_, model, usage, msat) => {
  const bill = billStated(sold(model), { usage, estimated: false }, () => counted);
  expect(bill.cost.totalMsat).toBe(msat);
  expect(bill.usage).toBe(counted);
  expect(bill.memo.estimated).toBe(true);
});
