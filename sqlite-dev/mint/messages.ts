import { type Static, Type } from 'typebox';

/** Above this an amount is refused, so that every sum stays an exact JSON number. */
const maxAmount = 2 ** 40;

const Point = Type.String({ pattern: '^0[23][0-9a-f]{64}$' });
const KeysetId = Type.String({ pattern: '^[0-9a-f]{16}([0-9a-f]{50})?$' });
const QuoteId = Type.String({ minLength: 1, maxLength: 64 });
const Unit = Type.String({ minLength: 1, maxLength: 16 });

const Proof = Type.Object({
  amount: Type.Integer({ minimum: 1, maximum: maxAmount }),
  id: KeysetId,
  secret: Type.String({ minLength: 1, maxLength: 4096 }),
  C: Point,
  witness: Type.Optional(
    Type.Union([
      Type.Null(),
      Type.String({ maxLength: 16_384 }),
      Type.Object({ signatures: Type.Array(Type.String({ maxLength: 256 })) }),
    ]),
  ),
});

const Output = Type.Object({
  amount: Type.Integer({ minimum: 0, maximum: maxAmount }),
  id: KeysetId,
  B_: Point,
});

export const SwapRequest = Type.Object({
  inputs: Type.Array(Proof, { minItems: 1 }),
  outputs: Type.Array(Output, { minItems: 1 }),
});

export const MintQuoteRequest = Type.Object({
  amount: Type.Integer({ minimum: 1, maximum: maxAmount }),
  unit: Unit,
  description: Type.Optional(Type.Union([Type.Null(), Type.String({ maxLength: 600 })])),
  pubkey: Type.Optional(Type.Union([Type.Null(), Type.String({ maxLength: 256 })])),
});

export const MintRequest = Type.Object({
  quote: QuoteId,
  outputs: Type.Array(Output, { minItems: 1 }),
  signature: Type.Optional(Type.Union([Type.Null(), Type.String({ maxLength: 256 })])),
});

export const MeltQuoteRequest = Type.Object({
  request: Type.String({ minLength: 1, maxLength: 4096 }),
  unit: Unit,
});

export const MeltRequest = Type.Object({
  quote: QuoteId,
  inputs: Type.Array(Proof, { minItems: 1 }),
  outputs: Type.Optional(Type.Union([Type.Null(), Type.Array(Output)])),
});

export const CheckStateRequest = Type.Object({ Ys: Type.Array(Point, { maxItems: 10_000 }) });

export const RestoreRequest = Type.Object({ outputs: Type.Array(Output, { maxItems: 10_000 }) });

export type Proof = Static<typeof Proof>;
export type Output = Static<typeof Output>;
export type SwapRequest = Static<typeof SwapRequest>;
export type MintQuoteRequest = Static<typeof MintQuoteRequest>;
export type MintRequest = Static<typeof MintRequest>;
export type MeltQuoteRequest = Static<typeof MeltQuoteRequest>;
export type MeltRequest = Static<typeof MeltRequest>;
export type CheckStateRequest = Static<typeof CheckStateRequest>;
export type RestoreRequest = Static<typeof RestoreRequest>;

/** NUT-00 `BlindSignature` with its NUT-12 proof. */
export interface BlindSignature {
  id: string;
  amount: number;
  C_: string;
  dleq?: { e: string; s: string };
}
