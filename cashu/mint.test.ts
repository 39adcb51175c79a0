import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type RunningMint, startMint } from '../sqlite-dev/mint/start-mint.ts';
import { mintToken } from '../sqlite-dev/mint-token.ts';
import { openTill, patient, type Till } from '../tests/mints/till.ts';
import { MintError } from './mint-error.ts';
import {
  readKeys,
  readKeysets,
  readMissingNuts,
  readRestored,
  readSignatures,
  readStates,
} from './mint-messages.ts';

// biome-ignore lint/suspicious/noExplicitAny: whatever a mint may answer
type Answer = any;

let mint: RunningMint;
let liar: Server;
let url: string;
let till: Till;
/** Rewrites what the mint answers to a path. */
let lie: (path: string, answer: Answer) => Answer;

beforeAll(async () => {
  mint = await startMint();
  liar = createServer(async (request, response) => {
    const body = request.method === 'POST' ? await new Response(request as never).text() : undefined;
    const answer = await fetch(`${mint.url}${request.url}`, {
      method: request.method!,
      ...(body && { body }),
    });
    response.end(JSON.stringify(lie(request.url!, await answer.json())));
  }).listen(0, '127.0.0.1');
  await once(liar, 'listening');
  url = `http://127.0.0.1:${(liar.address() as AddressInfo).port}`;
});

afterAll(async () => {
  liar.closeAllConnections();
  liar.close();
  await mint.close();
});

beforeEach(async () => {
  lie = (_, answer) => answer;
  till = await openTill({ mints: [{ url }] });
});

afterEach(() => till[Symbol.asyncDispose]());

describe('a mint', () => {
  test.each(['7', '9', '10', '11', '12'])('that does not support NUT-%s is not used', async (nut) => {
    const token = await mintToken(url, 8);
    lie = (path, answer) =>
      path === '/v1/info' ? { ...answer, nuts: { ...answer.nuts, [nut]: {} } } : answer;
    const refused = { code: 'cashu_untrusted_source_mint', message: expect.stringContaining(`NUT-${nut}`) };
    await expect(till.redeem(token)).rejects.toMatchObject(refused);
    expect(till.redeemer.mintStatus()).toMatchObject([{ usable: false, missingNuts: [nut] }]);
  });

  test('that shows us keys of our own is not used', async () => {
    const token = await mintToken(url, 100);
    lie = (path, answer) => {
      if (!path.startsWith('/v1/keys/')) return answer;
      const [{ keys, ...rest }] = answer.keysets;
      return { keysets: [{ ...rest, keys: { ...keys, 1: keys[2], 2: keys[1] } }] };
    };
    await expect(till.redeem(token)).rejects.toMatchObject({
      code: 'cashu_mint_unreachable',
      spendable: true,
    });
    expect(mint.hits('POST /v1/swap')).toBe(0);
  });

  test('that restores what was never asked for is not believed', async () => {
    const token = await mintToken(url, 100);
    const other = await till.redeem(await mintToken(url, 100));
    expect(other.amount).toBe(99_000n);
    lie = (path, answer) => {
      if (path === '/v1/swap') return { signatures: [] };
      if (path !== '/v1/restore') return answer;
      const B_ = `02${'11'.repeat(32)}`;
      return {
        outputs: [...answer.outputs, { B_ }],
        signatures: [...answer.signatures, answer.signatures[0]],
      };
    };
    await expect(till.redeem(token, 'b')).rejects.toMatchObject({ code: 'cashu_redemption_pending' });
    lie = (_, answer) => answer;
    expect(await till.redeem(token, 'b')).toMatchObject({ amount: 99_000n });
  });

  test('that is unwell now is used with what it said before', async () => {
    await till.redeemer.warm(patient);
    const token = await mintToken(url, 100);
    till.skew.ms += 3_600_000;
    lie = (path, answer) => (path === '/v1/info' || path === '/v1/keysets' ? null : answer);
    expect(await till.redeem(token)).toMatchObject({ amount: 99_000n });
  });
});

describe('what a mint answers', () => {
  const key = `02${'11'.repeat(32)}`;
  const scalar = 'ab'.repeat(32);
  const signature = { id: '00ab', amount: 8, C_: key, dleq: { e: scalar, s: scalar } };
  const supported = { supported: true };
  const keyset = { id: '00ab', unit: 'sat', active: true, input_fee_ppk: 100, final_expiry: null };
  const messages: [string, Answer, (json: unknown) => unknown][] = [
    [
      'info',
      { nuts: { 7: supported, 9: supported, 10: supported, 11: supported, 12: supported } },
      readMissingNuts,
    ],
    ['keysets', { keysets: [keyset, { ...keyset, final_expiry: 2_000_000_000 }] }, readKeysets],
    ['keys', { keysets: [{ ...keyset, keys: { 1: key, 2: key } }] }, (json) => readKeys(json, '00ab')],
    ['signatures', { signatures: [signature] }, (json) => readSignatures(json, 3)],
    ['restored', { outputs: [{ B_: key }], signatures: [signature] }, (json) => readRestored(json, 3)],
    ['states', { states: [{ Y: key, state: 'SPENT', witness: null }] }, (json) => readStates(json, [key])],
  ];

  test.each(messages)('is understood: %s', (_, message, read) => {
    expect(read(message)).toBeDefined();
  });

  test.each(messages)('is understood or refused when any part of it is anything: %s', (_, message, read) => {
    const odd = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom(-1, 1.5, 2 ** 70, key, 'x'.repeat(2_000)),
    );
    fc.assert(
      fc.property(fc.nat(), odd, (at, value) => {
        const json = structuredClone({ message });
        const places = placesIn(json);
        const [holder, name] = places[at % places.length]!;
        holder[name] = value;
        try {
          read(json.message);
        } catch (error) {
          expect(error).toBeInstanceOf(MintError);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('is refused when there is more of it than was asked for', () => {
    expect(() => readSignatures({ signatures: [signature, signature] }, 1)).toThrow(MintError);
    expect(() => readStates({ states: [] }, [key])).toThrow(MintError);
    expect(() => readKeysets({ keysets: Array(1_001).fill(keyset) })).toThrow(MintError);
  });

  function placesIn(json: Answer): [Answer, string][] {
    if (typeof json !== 'object' || json === null) return [];
    return Object.keys(json).flatMap((name) => [[json, name] as [Answer, string], ...placesIn(json[name])]);
  }
});
