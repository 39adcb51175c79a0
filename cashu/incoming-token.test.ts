import { type Proof, Wallet } from '@cashu/cashu-ts';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningMint, startMint } from '../sqlite-dev/mint/start-mint.ts';
import { mintToken } from '../sqlite-dev/mint-token.ts';
import { openTill, patient, type Till } from '../tests/mints/till.ts';
import { readBody, readHead } from './crypto-worker.ts';
import { CashuError } from './errors.ts';
import { IncomingToken } from './incoming-token.ts';

let mint: RunningMint;
let till: Till;
let keyset: string;
let valid: string;

beforeAll(async () => {
  mint = await startMint({ units: ['sat', 'msat'] });
  till = await openTill({ mints: [{ url: mint.url }] });
  valid = await mintToken(mint.url, 100);
  const wallet = new Wallet(mint.url, { unit: 'sat' });
  await wallet.loadMint();
  keyset = wallet.keysetId;
});

afterAll(async () => {
  await till[Symbol.asyncDispose]();
  await mint.close();
});

const inspectToken = (token: string) => till.redeemer.inspect(token, patient);

/** A version 3 token of any content: it is JSON, so it can say anything. */
function tokenOf(json: unknown): string {
  return `cashuA${Buffer.from(JSON.stringify(json)).toString('base64url')}`;
}

function proof(fields: Partial<Record<keyof Proof, unknown>> = {}) {
  return { id: keyset, amount: 8, secret: 'ab'.repeat(32), C: `02${'11'.repeat(32)}`, ...fields };
}

function token(proofs: unknown[], fields: Record<string, unknown> = {}): string {
  return tokenOf({ token: [{ mint: mint.url, proofs }], unit: 'sat', ...fields });
}

const locked = JSON.stringify(['P2PK', { nonce: 'ab'.repeat(32), data: `02${'11'.repeat(32)}`, tags: [] }]);

describe('a token is refused before its mint hears of it', () => {
  const cases: [string, () => string, object][] = [
    ['empty', () => token([]), { code: 'cashu_token_zero_value' }],
    [
      'a proof of nothing',
      () => token([proof(), proof({ amount: 0, secret: 'x' })]),
      { code: 'cashu_token_zero_value' },
    ],
    [
      'worth its fee only',
      () => token([proof({ amount: 1 })]),
      { code: 'cashu_token_swap_fees_exceed_amount' },
    ],
    ['one proof twice', () => token([proof(), proof()]), { code: 'invalid_cashu_token' }],
    ['a negative amount', () => token([proof({ amount: -8 })]), { code: 'invalid_cashu_token' }],
    ['half a sat', () => token([proof({ amount: 8.5 })]), { code: 'invalid_cashu_token' }],
    ['no number', () => token([proof({ amount: '8 sats' })]), { code: 'invalid_cashu_token' }],
    ['more than there is', () => token([proof({ amount: 2 ** 62 })]), { code: 'invalid_cashu_token' }],
    ['no secret', () => token([proof({ secret: '' })]), { code: 'invalid_cashu_token' }],
    ['a secret that is an object', () => token([proof({ secret: {} })]), { code: 'invalid_cashu_token' }],
    [
      'an endless secret',
      () => token([proof({ secret: 'a'.repeat(2_000) })]),
      { code: 'invalid_cashu_token' },
    ],
    ['a C that is no point', () => token([proof({ C: '00' })]), { code: 'invalid_cashu_token' }],
    [
      'locked to somebody',
      () => token([proof({ secret: locked })]),
      { code: 'invalid_cashu_token', spendable: true },
    ],
    [
      'locked, after a space',
      () => token([proof({ secret: `\n ${locked}` })]),
      { code: 'invalid_cashu_token' },
    ],
    [
      'of an unknown keyset',
      () => {
        till.skew.ms += 10_000;
        return token([proof({ id: `01${'ee'.repeat(32)}` })]);
      },
      { code: 'invalid_cashu_token' },
    ],
    [
      'of an unknown keyset, a moment after the mint was asked for its own',
      () => token([proof({ id: `01${'ef'.repeat(32)}` })]),
      { code: 'cashu_mint_rate_limited', spendable: true },
    ],
    [
      'of a keyset of another unit',
      () => token([proof()], { unit: 'msat' }),
      { code: 'invalid_cashu_token' },
    ],
    [
      'of a unit that is no money of ours',
      () => token([proof()], { unit: 'usd' }),
      { code: 'cashu_untrusted_source_mint' },
    ],
    [
      'of no mint',
      () => tokenOf({ token: [{ mint: 'mint', proofs: [proof()] }] }),
      { code: 'cashu_untrusted_source_mint' },
    ],
    ['of a mint with a password', () => valid_with('user:pw@'), { code: 'cashu_untrusted_source_mint' }],
    [
      'of two mints',
      () => tokenOf({ token: [{ mint: mint.url, proofs: [] }, {}] }),
      { code: 'invalid_cashu_token' },
    ],
    ['too many proofs', () => token(many(257)), { code: 'invalid_cashu_token' }],
    ['too long', () => `cashuA${'a'.repeat(70_000)}`, { code: 'invalid_cashu_token' }],
    ['cut short', () => valid.slice(0, -20), { code: 'invalid_cashu_token' }],
    ['an API key', () => `sk-${'ab'.repeat(32)}`, { code: 'invalid_cashu_token' }],
    ['of version 5', () => valid.replace('cashuB', 'cashuC'), { code: 'invalid_cashu_token' }],
    ['nothing at all', () => '', { code: 'invalid_cashu_token' }],
  ];

  test.each(cases)('%s', async (_, make, expected) => {
    const before = mint.hits('POST /v1/swap');
    await expect(inspectToken(make())).rejects.toMatchObject(expected);
    expect(mint.hits('POST /v1/swap')).toBe(before);
  });

  function many(count: number) {
    return Array.from({ length: count }, (_, n) => proof({ secret: `${n}` }));
  }

  function valid_with(credentials: string): string {
    return tokenOf({
      token: [{ mint: mint.url.replace('//', `//${credentials}`), proofs: [proof()] }],
      unit: 'sat',
    });
  }
});

test('a keyset that expires within the hour is not swapped in a hurry', async () => {
  till.skew.ms += 10_000;
  const expiring = mint.rotate({
    unit: 'msat',
    inputFeePpk: 0,
    finalExpiry: Math.floor(Date.now() / 1000) + 600,
  });
  await expect(inspectToken(token([proof({ id: expiring.id })], { unit: 'msat' }))).rejects.toMatchObject({
    code: 'cashu_token_redemption_failed',
    spendable: true,
  });
});

test('unknown keysets make a mint answer once in a while, not once a token', async () => {
  till.skew.ms += 10_000;
  const strange = () => token([proof({ id: `01${'dd'.repeat(32)}` })]);
  await expect(inspectToken(strange())).rejects.toThrow();
  const asked = mint.hits('GET /v1/keysets');
  for (let n = 0; n < 10; n++) await expect(inspectToken(strange())).rejects.toThrow();
  expect(mint.hits('GET /v1/keysets')).toBe(asked);
});

describe('whatever is in a token', () => {
  const bytes = fc.uint8Array({ maxLength: 300 }).map((raw) => Buffer.from(raw).toString('base64url'));
  const anything = fc.oneof(
    fc.tuple(fc.constantFrom('A', 'B'), bytes).map(([version, body]) => `cashu${version}${body}`),
    fc.json({ maxDepth: 6 }).map((json) => `cashuA${Buffer.from(json).toString('base64url')}`),
    fc
      .tuple(fc.nat({ max: 400 }), fc.integer({ min: 0, max: 255 }))
      .map(([at, byte]) => mutate(valid, at, byte)),
    fc.string().map((text) => `cashuB${text}`),
    proofsOf(fc.anything({ withBigInt: false })),
  );

  function mutate(text: string, at: number, byte: number): string {
    const raw = Buffer.from(text.slice(6), 'base64url');
    raw[at % raw.length] = byte;
    return `cashuB${raw.toString('base64url')}`;
  }

  function proofsOf(value: fc.Arbitrary<unknown>) {
    const entry = fc.record({ id: value, amount: value, secret: value, C: value }, { requiredKeys: [] });
    return fc.array(entry, { maxLength: 5 }).map((proofs) => {
      try {
        return tokenOf({ token: [{ mint: mint.url, proofs }], unit: 'sat' });
      } catch {
        return 'cashuA';
      }
    });
  }

  test('decoding it ends with a result', () => {
    fc.assert(
      fc.property(anything, (text) => {
        const head = readHead(text);
        const body = readBody({ token: text, keysets: [keyset], maxProofs: 256 });
        expect(typeof head.ok).toBe('boolean');
        if (body.ok) for (const { amount } of body.proofs) expect(amount >= 0n).toBe(true);
      }),
      { numRuns: 10_000 },
    );
  });

  test('inspecting it says what it is worth, or why not', async () => {
    await fc.assert(
      fc.asyncProperty(anything, async (text) => {
        const end = await inspectToken(text).catch((error: unknown) => error);
        if (end instanceof IncomingToken) expect(end.worth > 0n).toBe(true);
        else expect(end).toBeInstanceOf(CashuError);
      }),
      { numRuns: 1_000 },
    );
  });
});
