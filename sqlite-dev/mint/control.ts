import { Type } from 'typebox';
import { type Books, readBooks } from './books.ts';
import { Fault, type Faults } from './faults.ts';
import type { Mint } from './mint.ts';
import { parser } from './routes.ts';

const Rotation = Type.Object({
  unit: Type.String({ minLength: 1, maxLength: 16 }),
  inputFeePpk: Type.Integer({ minimum: 0, maximum: 100_000 }),
  finalExpiry: Type.Optional(Type.Integer({ minimum: 0 })),
  keepOld: Type.Optional(Type.Boolean()),
});

/** Body of `POST /control`. What is in it is done in this order. */
const Command = Type.Object(
  {
    clear: Type.Optional(Type.Literal(true)),
    fault: Type.Optional(Fault),
    rotate: Type.Optional(Rotation),
    /** Seconds replies are cached for (NUT-19); null switches that off. */
    cachedFor: Type.Optional(Type.Union([Type.Null(), Type.Integer({ minimum: 1 })])),
  },
  { additionalProperties: false },
);

const parse = parser(Command);

/** What can be changed while the mint runs. */
export interface Controls {
  faults: Faults;
  /** Requests so far, by path as in `Fault.path`. In memory, as are the faults. */
  hits: Map<string, number>;
  /** Seconds; null without NUT-19. */
  cachedFor: number | null;
}

export interface Stats {
  hits: Record<string, number>;
  units: Record<string, Books>;
}

export function stats(mint: Mint, controls: Controls): Stats {
  return { hits: Object.fromEntries(controls.hits), units: readBooks(mint) };
}

/** @throws MintError `invalid_request` */
export function command(mint: Mint, controls: Controls, body: unknown): { keyset?: string } {
  const { clear, fault, rotate, cachedFor } = parse(body);
  if (clear) controls.faults.clear();
  if (fault) controls.faults.add(fault);
  if (cachedFor !== undefined) controls.cachedFor = cachedFor;
  return rotate ? { keyset: mint.keysets.rotate(rotate).id } : {};
}
