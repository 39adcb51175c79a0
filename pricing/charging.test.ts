import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadCatalogue } from './catalogue.ts';
import { costOf } from './cost.ts';
import { holdFor } from './hold.ts';
import type { Model } from './model.ts';
import { publicModel } from './public-model.ts';
import { type Rate, staticRate } from './rate.ts';
import { runningCost } from './running-cost.ts';
import type { Estimate, Usage } from './usage.ts';

const rate = staticRate('100000').current() as Rate;
const nothing: Usage = {
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  images: 0,
  audioSeconds: 0,
  webSearches: 0,
};
const small: Estimate = { inputTokens: 0, outputTokens: 0, copies: 1, images: 0, audioSeconds: 0 };

interface Changes {
  pricing?: object;
  context?: number;
  longest?: number;
  margin?: string;
  minRequestMsat?: bigint;
  fixedSats?: string;
}

/** By default: 1 and 2 USD per million tokens, which at 100,000 USD are 1 and 2 msat each. */
function model(changes: Changes = {}): Model {
  const { pricing = {}, context = 10_000, longest = 4000, margin = '0', minRequestMsat = 1n } = changes;
  const entry = {
    id: 'm',
    top_provider: { context_length: context, max_completion_tokens: longest },
    pricing: { prompt: '0.000001', completion: '0.000002', ...pricing },
  };
  const { models } = loadCatalogue([entry], {
    version: 'v1',
    marginPercent: margin,
    modelBasedPricing: changes.fixedSats === undefined,
    ...(changes.fixedSats !== undefined && { fixedCostPerRequestSats: changes.fixedSats }),
    minRequestMsat,
  });
  return models[0] as Model;
}

describe('the hold of a request', () => {
  it.each<[string, Changes, Partial<Estimate>, bigint]>([
    ['prompt and bound on the completion', {}, { inputTokens: 100, outputTokens: 50 }, 200n],
    ['the completion once per copy', {}, { inputTokens: 100, outputTokens: 50, copies: 3 }, 400n],
    ['at least the minimum', { minRequestMsat: 5000n }, { inputTokens: 1 }, 5000n],
    ['nothing for a free model', { pricing: { prompt: '0', completion: '0' }, minRequestMsat: 0n }, {}, 0n],
    ['rounded up', { pricing: { prompt: '0.0000000001' } }, { inputTokens: 10_001 }, 2n],
    ['at most the worst case of one context', {}, { inputTokens: 90_000, outputTokens: 4000 }, 14_000n],
    ['a full prompt when that is dearer', { pricing: { completion: '0' } }, { inputTokens: 90_000 }, 10_000n],
    ['more than that for copies', {}, { inputTokens: 9000, outputTokens: 4000, copies: 2 }, 25_000n],
    ['the price per request on top', { pricing: { request: '0.001' } }, { inputTokens: 10 }, 1010n],
    ['images', { pricing: { image: '0.04' } }, { images: 2 }, 80_001n],
    ['audio', { pricing: { audio_second: '0.0001' } }, { audioSeconds: 60 }, 6001n],
    ['searches', { pricing: { web_search: '0.01' } }, { webSearches: 2 }, 20_001n],
    ['with the margin', { margin: '50' }, { inputTokens: 100 }, 150n],
    ['a fixed price alone', { fixedSats: '10', margin: '50' }, { inputTokens: 100 }, 10_000n],
    ['a fixed price below the minimum', { fixedSats: '0.5', minRequestMsat: 1000n }, {}, 1000n],
    ['a sat price', { pricing: { unit: 'sat', prompt: '0.001' } }, { inputTokens: 7 }, 7n],
  ])('is %s', (_, changes, estimate, msat) => {
    expect(holdFor(model(changes), { ...small, ...estimate }, rate)).toBe(msat);
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 60])('is refused for %s tokens', (inputTokens) => {
    expect(() => holdFor(model(), { ...small, inputTokens }, rate)).toThrow(RangeError);
  });
});

describe('the cost of a request', () => {
  it('has a part for each kind', () => {
    const priced = model({
      pricing: {
        input_cache_read: '0.0000001',
        input_cache_write: '0.000002',
        request: '0.00001',
        image: '0.01',
      },
    });
    const usage = {
      ...nothing,
      inputTokens: 100,
      outputTokens: 30,
      cacheReadTokens: 50,
      cacheWriteTokens: 7,
    };
    expect(costOf(priced, { ...usage, images: 1 }, rate)).toEqual({
      totalMsat: 10_189n,
      baseMsat: 10_010n,
      inputMsat: 100n,
      cacheReadMsat: 5n,
      cacheWriteMsat: 14n,
      outputMsat: 60n,
      totalUsd: '0.010189',
    });
  });

  it('is rounded up once, not once for each part', () => {
    const cheap = model({ pricing: { prompt: '0.0000004', completion: '0.0000004' } });
    const cost = costOf(cheap, { ...nothing, inputTokens: 1, outputTokens: 1 }, rate);
    expect(cost).toMatchObject({ totalMsat: 1n, inputMsat: 1n, outputMsat: 0n, totalUsd: '0.0000008' });
  });

  it('is exact at an odd rate', () => {
    const odd = staticRate('97250.15').current();
    expect(costOf(model(), { ...nothing, inputTokens: 1000 }, odd).totalMsat).toBe(1029n);
  });

  it('needs a rate for USD prices only', () => {
    expect(() => costOf(model(), nothing, undefined)).toThrow(
      expect.objectContaining({ code: 'price_unavailable' }),
    );
    const sats = model({ pricing: { unit: 'sat', prompt: '0.5' } });
    const usage = { ...nothing, inputTokens: 3 };
    expect(costOf(sats, usage, undefined)).toMatchObject({ totalMsat: 1500n, totalUsd: undefined });
    expect(costOf(sats, usage, rate).totalUsd).toBe('0.0015');
  });

  it('is the fixed price whatever was used', () => {
    const fixed = model({ fixedSats: '10', margin: '50' });
    const cost = costOf(fixed, { ...nothing, inputTokens: 5000, outputTokens: 900 }, rate);
    expect(cost).toMatchObject({ totalMsat: 10_000n, baseMsat: 10_000n, inputMsat: 0n, outputMsat: 0n });
  });
});

describe('a rate', () => {
  it.each(['0', '-1', 'x', '1.0000001', ''])('of %s is refused', (usd) => {
    expect(() => staticRate(usd)).toThrow(expect.objectContaining({ code: 'invalid_decimal' }));
  });
});

describe('the published model', () => {
  it('shows what is charged, margin included', () => {
    const shown = publicModel(model({ margin: '10' }), rate);
    expect(shown).toMatchObject({
      object: 'model',
      context_length: 10_000,
      top_provider: { context_length: 10_000, max_completion_tokens: 4000 },
      pricing: { prompt: 0.0000011, completion: 0.0000022, request: 0, max_completion_cost: 0.0088 },
      sats_pricing: { prompt: 0.0011, completion: 0.0022, max_prompt_cost: 11, max_cost: 15.4 },
    });
  });

  it('never shows less than is charged where clients round to whole sats', () => {
    const hair = model({
      context: 5001,
      longest: 1,
      pricing: { prompt: '0.000001000000000000000001', completion: '0' },
    });
    expect(publicModel(hair, rate).sats_pricing?.max_cost).toBeGreaterThan(5.001);
  });

  it('has no price in a currency that no rate leads to', () => {
    expect(publicModel(model(), undefined)).toMatchObject({ sats_pricing: null });
    const sats = model({ pricing: { unit: 'sat', prompt: '0.5' } });
    expect(publicModel(sats, undefined)).toMatchObject({ pricing: null, sats_pricing: { prompt: 0.5 } });
    expect(publicModel(sats, rate)).toMatchObject({ pricing: { prompt: 0.0005 } });
  });
});

/** Prices up to 1 USD a token with up to 24 places, a tenth of them 0. */
const price = fc.oneof(
  { weight: 1, arbitrary: fc.constant('0') },
  {
    weight: 9,
    arbitrary: fc.bigInt(1n, 10n ** 24n).map((units) => `0.${(units - 1n).toString().padStart(24, '0')}`),
  },
);
const priced = fc
  .record({
    prompt: price,
    completion: price,
    request: price,
    image: price,
    audio_second: price,
    web_search: price,
    unit: fc.constantFrom('usd', 'sat'),
    context: fc.integer({ min: 2, max: 2_000_000 }),
    longest: fc.integer({ min: 1, max: 2_000_000 }),
    margin: fc.integer({ min: 0, max: 20_000_000 }).map((micro) => String(micro / 1_000_000)),
    minRequestMsat: fc.bigInt(0n, 10_000n),
  })
  .map(({ context, longest, margin, minRequestMsat, ...pricing }) =>
    model({
      context,
      longest,
      margin,
      minRequestMsat,
      pricing,
    }),
  );
const rates = fc
  .bigInt(1n, 10n ** 13n)
  .map((usdMicroPerBtc): Rate => ({ usdMicroPerBtc, version: 'random' }));
const tokens = fc.integer({ min: 0, max: 2_000_000 });
const few = fc.integer({ min: 0, max: 20 });
const used = fc.record({
  inputTokens: tokens,
  outputTokens: tokens,
  cacheReadTokens: tokens,
  cacheWriteTokens: tokens,
  images: few,
  audioSeconds: few,
  webSearches: few,
});

describe('for every price, rate and usage', () => {
  it('a request never costs more than its hold, if it keeps to its bounds', () => {
    fc.assert(
      fc.property(priced, rates, used, fc.integer({ min: 1, max: 8 }), (sold, at, usage, copies) => {
        // An upstream that respects max_tokens and its context, and a prompt that is no longer than was estimated.
        const outputTokens = Math.min(usage.outputTokens, sold.maxCompletionTokens);
        const prompt = Math.min(usage.inputTokens, sold.contextLength - outputTokens);
        const cacheReadTokens = Math.min(usage.cacheReadTokens, prompt);
        const cacheWriteTokens = Math.min(usage.cacheWriteTokens, prompt - cacheReadTokens);
        const inputTokens = prompt - cacheReadTokens - cacheWriteTokens;
        const estimate: Estimate = { ...usage, inputTokens: prompt, outputTokens, copies };
        const cost = costOf(
          sold,
          { ...usage, inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens: outputTokens * copies },
          at,
        );
        expect(cost.totalMsat).toBeLessThanOrEqual(holdFor(sold, estimate, at));
      }),
      { numRuns: 1000 },
    );
  });

  it('the parts of a cost are not negative and add up to it', () => {
    fc.assert(
      fc.property(priced, rates, used, (sold, at, usage) => {
        const { totalMsat, totalUsd: _, ...parts } = costOf(sold, usage, at);
        for (const part of Object.values(parts)) expect(part).toBeGreaterThanOrEqual(0n);
        expect(Object.values(parts).reduce((sum, part) => sum + part)).toBe(totalMsat);
      }),
    );
  });

  it('using more never costs less', () => {
    fc.assert(
      fc.property(priced, rates, used, used, (sold, at, usage, more) => {
        const sum = Object.fromEntries(
          Object.entries(usage).map(([key, value]) => [key, value + more[key as keyof Usage]]),
        );
        const before = costOf(sold, usage, at).totalMsat;
        expect(costOf(sold, sum as unknown as Usage, at).totalMsat).toBeGreaterThanOrEqual(before);
      }),
    );
  });

  it('the running cost is the cost, and says how far an amount goes', () => {
    fc.assert(
      fc.property(priced, rates, used, fc.bigInt(0n, 10n ** 15n), (sold, at, usage, amount) => {
        const running = runningCost(sold, usage, at);
        expect(running.at(usage.outputTokens)).toBe(costOf(sold, usage, at).totalMsat);
        const within = running.tokensWithin(amount);
        if (within > 0 && within < 2 ** 50) {
          expect(running.at(within)).toBeLessThanOrEqual(amount);
          expect(running.at(within + 1)).toBeGreaterThan(amount);
        }
        if (within === 0 && sold.prices.completion > 0n) expect(running.at(1)).toBeGreaterThan(amount);
      }),
    );
  });

  it('a client that prepays by Routstr’s formula is not refused', () => {
    const asked = fc.record({
      characters: fc.integer({ min: 0, max: 8_000_000 }),
      maxTokens: fc.option(tokens),
    });
    fc.assert(
      fc.property(priced, rates, asked, (sold, at, { characters, maxTokens }) => {
        const { sats_pricing: sats, top_provider: top } = publicModel(sold, at);
        fc.pre(sats !== null && sats.max_cost < 1e9);
        // What it mints, in whole sats: its own estimate and 5 %, but never more than the worst case that we publish.
        const completion = maxTokens === null ? sats.max_completion_cost : sats.completion * maxTokens;
        const estimated = sats.prompt * Math.ceil(characters / 2.84) + completion + sats.request;
        const prepaid =
          sats.max_completion_cost === 0 ? sats.max_cost : Math.min(sats.max_cost, estimated * 1.05);
        const estimate: Estimate = {
          ...small,
          inputTokens: Math.ceil(characters / 3),
          outputTokens: Math.min(maxTokens ?? top.max_completion_tokens, top.max_completion_tokens),
        };
        const held = holdFor(sold, estimate, at);
        expect(held).toBeLessThanOrEqual(BigInt(Math.ceil(prepaid)) * 1000n);
      }),
      { numRuns: 1000 },
    );
  });
});
