import { type Static, Type } from 'typebox';

const Times = Type.Optional(
  Type.Integer({ minimum: 1, description: 'requests it hits; always when absent' }),
);
const Path = Type.String({
  description:
    '"POST /v1/swap", "GET /v1/keys", with {id} for ids: "GET /v1/mint/quote/bolt11/{id}"; "*" is all but /control',
});
const When = Type.Optional(
  Type.Union([Type.Literal('before'), Type.Literal('after')], { description: 'commit' }),
);
const Ms = Type.Integer({ minimum: 0 });

const base = { path: Path, times: Times };

/** Something that goes wrong on purpose. `when` says whether the mint has done the work by then; `after` unless said. */
export const Fault = Type.Union([
  /** The connection dies without an answer. */
  Type.Object({ ...base, kind: Type.Literal('drop'), when: When }),
  Type.Object({ ...base, kind: Type.Literal('delay'), when: When, ms: Ms }),
  /** Any HTTP status, 429 and 5xx above all. `retryAfter` in seconds. */
  Type.Object({
    ...base,
    kind: Type.Literal('status'),
    when: When,
    status: Type.Integer({ minimum: 200, maximum: 599 }),
    retryAfter: Type.Optional(Type.Integer({ minimum: 0 })),
    /** Sent as `{detail, code}`; without it the body is plain text. */
    code: Type.Optional(Type.Integer()),
  }),
  /** 200 and a web page, as from a captive portal. */
  Type.Object({ ...base, kind: Type.Literal('html'), when: When }),
  Type.Object({ ...base, kind: Type.Literal('redirect'), when: When, location: Type.String() }),
  /** Half of the JSON. */
  Type.Object({ ...base, kind: Type.Literal('truncated') }),
  /** The right JSON, blown up by white space to so many bytes. */
  Type.Object({ ...base, kind: Type.Literal('huge'), bytes: Type.Integer({ minimum: 0, maximum: 2 ** 30 }) }),
  /** The right JSON, one byte every `ms`. */
  Type.Object({ ...base, kind: Type.Literal('drip'), ms: Ms }),
  /** Signatures of a swap, mint, melt or restore that are not what was asked for. The mint's own books stay right. */
  Type.Object({
    ...base,
    kind: Type.Literal('signatures'),
    defect: Type.Union([
      Type.Literal('wrong_dleq'),
      Type.Literal('no_dleq'),
      Type.Literal('wrong_amount'),
      Type.Literal('wrong_keyset'),
      Type.Literal('missing'),
    ]),
  }),
  /** Restore (NUT-09) forgets everything, or every other signature. */
  Type.Object({
    ...base,
    kind: Type.Literal('restore'),
    finds: Type.Union([Type.Literal('nothing'), Type.Literal('half')]),
  }),
  /**
   * Proofs read PENDING for `ms`, then it turns out that the operation was done, or failed.
   * A swap's connection is dropped; a melt answers PENDING.
   */
  Type.Object({
    ...base,
    kind: Type.Literal('pending'),
    ms: Ms,
    outcome: Type.Optional(Type.Union([Type.Literal('done'), Type.Literal('failed')])),
  }),
  /** A melt's Lightning payment fails. */
  Type.Object({ ...base, kind: Type.Literal('payment_failed') }),
]);

export type Fault = Static<typeof Fault>;

/** The faults that are switched on, in memory only: a mint that was restarted is well again. */
export class Faults {
  readonly #switched: { fault: Fault; left: number }[] = [];

  add(fault: Fault): void {
    this.#switched.push({ fault, left: fault.times ?? Number.POSITIVE_INFINITY });
  }

  clear(): void {
    this.#switched.length = 0;
  }

  /** Those that hit a request to `path`. Each counts as used. */
  take(path: string): Fault[] {
    const hit = this.#switched.filter((entry) => entry.fault.path === path || entry.fault.path === '*');
    for (const entry of hit) entry.left--;
    for (let index = this.#switched.length - 1; index >= 0; index--) {
      if (this.#switched[index]!.left <= 0) this.#switched.splice(index, 1);
    }
    return hit.map((entry) => entry.fault);
  }
}
