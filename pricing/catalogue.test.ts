import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type CatalogueOptions, loadCatalogue } from './catalogue.ts';
import { CatalogueError } from './errors.ts';

const options: CatalogueOptions = {
  version: 'v1',
  marginPercent: '0',
  modelBasedPricing: true,
  minRequestMsat: 1n,
};
const chat = {
  id: 'Acme/Chat-1',
  context_length: 8000,
  pricing: { prompt: '0.000001', completion: '0.000002' },
};

function problems(json: unknown, changes: Partial<CatalogueOptions> = {}): string[] {
  try {
    loadCatalogue(json, { ...options, ...changes });
  } catch (error) {
    if (error instanceof CatalogueError) return error.problems.map((problem) => problem.path);
    throw error;
  }
  return [];
}

describe('a catalogue', () => {
  it.each([[[chat]], [{ models: [chat] }], [{ data: [chat] }]])(
    'is a list of models, bare or wrapped: %#',
    (json) => {
      expect(loadCatalogue(json, options).models.map((model) => model.id)).toEqual(['Acme/Chat-1']);
    },
  );

  it('names every problem at once, with its path', () => {
    const json = {
      models: [
        { ...chat, pricing: { completion: '0' } },
        { ...chat, id: 'two words' },
        { ...chat, id: 'x', pricing: { prompt: '-1', completion: '1e-30', request: '1,5', promt: '1' } },
        { ...chat, id: 'y', context_length: undefined },
        { ...chat, id: 'z', pricing: { ...chat.pricing, overrides: [{ min_prompt_tokens: 1 }] } },
        { ...chat, id: 'r', pricing: { ...chat.pricing, internal_reasoning: '0.000003' } },
        { ...chat, id: 'u', pricing: { ...chat.pricing, unit: 'eur' } },
        null,
        { ...chat, id: 'w', top_provider: { max_completion_tokens: -5 }, alias_ids: 'one' },
      ],
    };
    expect(problems(json)).toEqual([
      '$.models[0].pricing.prompt',
      '$.models[1].id',
      '$.models[2].pricing.promt',
      '$.models[2].pricing.prompt',
      '$.models[2].pricing.completion',
      '$.models[2].pricing.request',
      '$.models[3].context_length',
      '$.models[4].pricing.overrides',
      '$.models[5].pricing.internal_reasoning',
      '$.models[6].pricing.unit',
      '$.models[7]',
      '$.models[8].alias_ids',
      '$.models[8].top_provider.max_completion_tokens',
    ]);
  });

  it.each([[null], [{}], [[]], ['models'], [{ models: 1 }], [[{ ...chat, enabled: false }]]])(
    'without models for sale is refused: %j',
    (json) => expect(problems(json)).not.toEqual([]),
  );

  it('refuses a margin or fixed price that is none', () => {
    expect(problems([chat], { marginPercent: '-5' })).toEqual(['marginPercent']);
    expect(problems([chat], { modelBasedPricing: false })).toEqual(['fixedCostPerRequestSats']);
  });

  it('keeps a price of 0 and falls back to the prompt price for cached tokens', () => {
    const free = { ...chat, pricing: { prompt: '0.000001', completion: '0', input_cache_read: '0' } };
    const [model] = loadCatalogue([free], options).models;
    expect(model?.prices).toMatchObject({ completion: 0n, cacheRead: 0n, cacheWrite: 10n ** 18n });
  });

  it.each([
    ['5', 1_050_000_000_000_000_000n],
    ['12.5', 1_125_000_000_000_000_000n],
    ['0.000001', 1_000_000_010_000_000_000n],
    ['100', 2_000_000_000_000_000_000n],
  ])('adds a margin of %s %%', (marginPercent, prompt) => {
    expect(loadCatalogue([chat], { ...options, marginPercent }).models[0]?.prices.prompt).toBe(prompt);
  });

  it('rounds a margin up, never down', () => {
    const odd = { ...chat, pricing: { prompt: '0.000000000000000000000001', completion: '0' } };
    expect(loadCatalogue([odd], { ...options, marginPercent: '1' }).models[0]?.prices.prompt).toBe(2n);
  });
});

describe('the size of a model', () => {
  const sized = (changes: object) => loadCatalogue([{ ...chat, ...changes }], options).models[0];

  it.each([
    ['half the context when no longest completion is known', {}, 8000, 4000],
    ['as listed', { top_provider: { context_length: 6000, max_completion_tokens: 1000 } }, 6000, 1000],
    ['less than the context', { top_provider: { max_completion_tokens: 8000 } }, 8000, 7999],
    [
      'none for a model that writes no text',
      {
        architecture: { output_modalities: ['embeddings'] },
        pricing: { prompt: '0.000001', completion: '0' },
      },
      8000,
      0,
    ],
    [
      'one for a transcription sold by the token',
      { architecture: { output_modalities: ['transcription'] } },
      8000,
      4000,
    ],
    [
      'any for a model that is not sold by the token',
      { context_length: 0, pricing: { prompt: '0', completion: '0', image: '0.04' } },
      4096,
      2048,
    ],
  ])('completion: %s', (_, changes, contextLength, maxCompletionTokens) => {
    expect(sized(changes)).toMatchObject({ contextLength, maxCompletionTokens });
  });
});

describe('a model is found', () => {
  const named = {
    ...chat,
    canonical_slug: 'acme/chat-1-20260901',
    alias_ids: ['best', 'other/Fancy'],
  };
  const twin = { ...chat, id: 'beta/chat-1', alias_ids: ['acme/chat-1-20260901'] };
  const catalogue = loadCatalogue([named, twin], options);

  it.each([
    ['Acme/Chat-1', 'Acme/Chat-1'],
    ['acme/CHAT-1', 'Acme/Chat-1'],
    ['BEST', 'Acme/Chat-1'],
    ['fancy', 'Acme/Chat-1'],
    ['chat-1-20260901', undefined],
    ['beta/chat-1', 'beta/chat-1'],
    ['chat-1', undefined],
    ['__proto__', undefined],
    ['', undefined],
  ])('%s: %s', (name, id) => {
    expect(catalogue.find(name)?.id).toBe(id);
  });

  it('by an alias before somebody else’s slug', () => {
    expect(catalogue.find('acme/chat-1-20260901')?.id).toBe('beta/chat-1');
  });

  it('never under a name that two of them claim', () => {
    expect(problems([chat, { ...chat, id: 'acme/chat-1' }])).toEqual(['acme/chat-1']);
    expect(
      problems([
        { ...chat, id: 'a', alias_ids: ['same'] },
        { ...chat, id: 'b', alias_ids: ['Same'] },
      ]),
    ).toEqual(['same']);
    expect(problems([chat, { ...chat, id: 'b', alias_ids: ['acme/chat-1'] }])).toEqual(['acme/chat-1']);
  });
});

describe('models.example.json', () => {
  const json: unknown = JSON.parse(readFileSync(new URL('../models.example.json', import.meta.url), 'utf8'));

  it('is for sale as it is, and serves every modality', () => {
    const { models } = loadCatalogue(json, { ...options, marginPercent: '7.5' });
    const outputs = new Set(models.flatMap((model) => model.listing.architecture.output_modalities));
    for (const modality of [
      'text',
      'image',
      'embeddings',
      'transcription',
      'speech',
      'rerank',
      'moderation',
    ]) {
      expect(outputs).toContain(modality);
    }
    for (const model of models) {
      expect(model.maxCompletionTokens).toBeLessThan(model.contextLength);
      expect(Object.values(model.prices).some((price) => price > 0n)).toBe(true);
    }
  });
});
