import { getDecodedToken } from '@cashu/cashu-ts';
import { mutateBytes } from './byte-mutation.ts';
import { type Cbor, encodeCbor, Raw } from './cbor.ts';
import { mutateJson } from './json-mutation.ts';
import type { Random } from './random.ts';

interface Proof {
  id: string;
  amount: number;
  secret: string;
  C: string;
}

/** A token taken apart. */
export interface Parts {
  mint: string;
  unit: string;
  memo?: string;
  proofs: Proof[];
}

/** @param keysets full ids: a V4 token has short ones */
export function takeApart(token: string, keysets: readonly string[]): Parts {
  const { mint, unit = 'sat', proofs } = getDecodedToken(token, keysets);
  return {
    mint,
    unit,
    proofs: proofs.map(({ id, amount, secret, C }) => ({ id, amount: Number(amount.toBigInt()), secret, C })),
  };
}

/** A good token, changed in what it says, how it says it, or its characters. Some come out good. */
export function mutateToken(good: Parts, random: Random): string {
  const parts = structuredClone(good);
  const changes = random.pick([0, 1, 1, 1, 2, 3]);
  for (let n = 0; n < changes; n++) change(parts, random);
  const token = random.chance(0.5) ? asV4(parts, random) : asV3(parts, random);
  return random.chance(0.25) ? mutateText(token, random) : token;
}

const amounts = [
  0,
  -1,
  1.5,
  3,
  2 ** 31,
  2 ** 53,
  2 ** 63,
  1e300,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  1,
  2,
  64,
];
const keysets = [
  '',
  '00',
  'ff',
  '00'.repeat(8),
  `01${'ab'.repeat(32)}`,
  'zz',
  'é',
  '00ad268c4d1f5826',
  'a'.repeat(5000),
];
const mints = [
  ...[
    '',
    'http://',
    'mint',
    'javascript:alert(1)',
    'file:///etc/passwd',
    'http://127.0.0.1:1',
    'http://[::1]:9',
    'http://169.254.169.254/latest',
  ],
  ...[
    'http://localhost',
    'http://0x7f000001/',
    'https://mint.example',
    'http://user:pw@mint.example',
    `https://${'a'.repeat(5000)}.example`,
    'http://10.0.0.1',
    '\u0000',
  ],
];
const secrets = [
  ...[
    '',
    ' ',
    '\u0000',
    '😀',
    'a'.repeat(1024),
    'a'.repeat(1025),
    'a'.repeat(20_000),
    '[]',
    ' [',
    '["P2PK"]',
  ],
  ...[
    '["P2PK",{"nonce":"a","data":"02aa","tags":[["sigflag","SIG_ALL"]]}]',
    '["HTLC",{"nonce":"a","data":"00"}]',
    '\ufeff["P2PK",{}]',
  ],
];
const points = [
  '',
  '02',
  `02${'00'.repeat(32)}`,
  `03${'ff'.repeat(32)}`,
  `04${'11'.repeat(64)}`,
  `02${'11'.repeat(32)}`,
  'zz'.repeat(33),
  `00${'11'.repeat(32)}`,
];

function change(parts: Parts, random: Random): void {
  const { proofs } = parts;
  const at = random.int(Math.max(1, proofs.length));
  const proof = proofs[at];
  if (proof === undefined) return;
  switch (random.int(13)) {
    case 0:
      proofs.push({ ...proof });
      break;
    case 1:
      proof.amount = random.pick(amounts);
      break;
    case 2:
      proof.id = random.pick(keysets);
      break;
    case 3:
      proof.secret = random.pick(secrets);
      break;
    case 4:
      proof.C = random.pick(points);
      break;
    case 5:
      proof.C = random.pick(proofs).C;
      break;
    case 6:
      parts.mint = random.pick(mints);
      break;
    case 7:
      parts.mint = random.pick([
        `${parts.mint}/`,
        parts.mint.toUpperCase(),
        parts.mint.replace('127.0.0.1', 'localhost'),
        `${parts.mint}/x/..`,
        `${parts.mint}?a`,
      ]);
      break;
    case 8:
      parts.unit = random.pick(['msat', 'usd', '', 'SAT', 'a'.repeat(2000)]);
      break;
    case 9:
      proofs.splice(at, 1);
      break;
    case 10:
      parts.memo = random.pick(['', '😀', 'a'.repeat(30_000), '\u0000']);
      break;
    case 11:
      proof.secret = random.text(64, '0123456789abcdef');
      break;
    default:
      for (let n = random.pick([10, 300]); n > 0; n--) proofs.push({ ...proof, secret: random.text(64) });
  }
}

/** As JSON, where the fuzzer of JSON takes over. */
function asV3({ mint, unit, memo, proofs }: Parts, random: Random): string {
  const json = JSON.stringify({ token: [{ mint, proofs }], unit, ...(memo !== undefined && { memo }) });
  const bytes = random.chance(0.4) ? mutateJson(json, random) : Buffer.from(json);
  return `cashuA${encoded(bytes, random)}`;
}

/** As CBOR, with the types that should be there or others. */
function asV4({ mint, unit, memo, proofs }: Parts, random: Random): string {
  const hex = (text: string): Cbor => (random.chance(0.97) ? Buffer.from(text, 'hex') : text);
  const ids = [...new Set(proofs.map(({ id }) => id))];
  const token: Record<string, Cbor> = {
    m: mint,
    u: unit,
    ...(memo !== undefined && { d: memo }),
    t: ids.map((id) => ({
      i: hex(random.chance(0.5) ? id.slice(0, 16) : id),
      p: proofs
        .filter((proof) => proof.id === id)
        .map(({ amount, secret, C }): Cbor => ({ a: amount, s: secret, c: hex(C) })),
    })),
  };
  const name = random.pick(['m', 'u', 't', 'd', 'x', '__proto__']);
  const said = random.chance(0.15) ? { ...token, [name]: random.pick(odd)(random) } : token;
  const bytes = encodeCbor(said);
  return `cashuB${encoded(random.chance(0.15) ? mutateBytes(bytes, random) : bytes, random)}`;
}

/** Values that CBOR allows and no token has. */
const odd: readonly ((random: Random) => Cbor)[] = [
  () => null,
  () => true,
  () => -1,
  () => [],
  () => ({}),
  () => new Raw(0xf7),
  () => new Raw(0x9f, 0x01, 0xff),
  () => new Raw(0xbf, 0xff),
  () => new Raw(0xc0, 0x61, 0x61),
  () => new Raw(0xd9, 0xd9, 0xf7, 0x01),
  () => new Raw(0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
  () => new Raw(0x9b, 0x00, 0x00, 0x00, 0x7f, 0xff, 0xff, 0xff, 0xff),
  () => new Raw(0xfc),
  () => new Raw(...Array<number>(20_000).fill(0x81), 0x01),
  () => new Raw(...Array.from({ length: 5000 }, () => [0xa1, 0x61, 0x61]).flat(), 0x01),
  (random) => random.bytes(random.int(100)),
];

function encoded(bytes: Buffer, random: Random): string {
  return random.chance(0.8) ? bytes.toString('base64url') : bytes.toString('base64');
}

function mutateText(token: string, random: Random): string {
  const at = random.int(token.length);
  return random.pick([
    token.slice(0, at),
    `${token}=`,
    `${token}==`,
    `cashu:${token}`,
    `cashu://${token}`,
    `CASHU${token.slice(5)}`,
    `cashuC${token.slice(6)}`,
    `cashuA${token.slice(6)}`,
    `cashuB${token.slice(6)}`,
    `${token.slice(0, at)}${random.text(1, '!"§ %\n\u0000é.')}${token.slice(at)}`,
    `${token}${'A'.repeat(70_000)}`,
    ` ${token}\t`,
    `${token}${token}`,
  ]);
}
