/** NUT error codes (cashubtc/nuts error_codes.md). `invalid_request` and `unknown_quote` have none there: 0, as Nutshell answers. */
const table = {
  invalid_request: [0, 'The request is not valid'],
  unknown_quote: [0, 'Quote is not known'],
  unknown_path: [0, 'There is nothing at this path'],
  proof_invalid: [10001, 'Proof verification failed'],
  already_spent: [11001, 'Proofs already spent'],
  proofs_pending: [11002, 'Proofs are pending'],
  already_signed: [11003, 'Outputs already signed'],
  outputs_pending: [11004, 'Outputs are pending'],
  unbalanced: [11005, 'Transaction is not balanced'],
  amount_out_of_range: [11006, 'Amount outside of limit range'],
  duplicate_inputs: [11007, 'Duplicate inputs provided'],
  duplicate_outputs: [11008, 'Duplicate outputs provided'],
  several_units: [11009, 'Inputs or outputs of multiple units'],
  different_units: [11010, 'Inputs and outputs not of same unit'],
  amountless_invoice: [11011, 'Amountless invoice is not supported'],
  unsupported_unit: [11013, 'Unit in request is not supported'],
  too_many_inputs: [11014, 'Max inputs exceeded'],
  too_many_outputs: [11015, 'Max outputs exceeded'],
  unknown_keyset: [12001, 'Keyset is not known'],
  inactive_keyset: [12002, 'Keyset is inactive, cannot sign messages'],
  expired_keyset: [12003, 'Keyset has expired'],
  already_issued: [20002, 'Quote has already been issued'],
  payment_failed: [20004, 'Lightning payment failed'],
  quote_pending: [20005, 'Quote is pending'],
  already_paid: [20006, 'Invoice already paid'],
  quote_expired: [20007, 'Quote is expired'],
  quote_signature: [20008, 'Signature for mint request invalid'],
  quote_pubkey: [20009, 'Pubkey for mint quote is not valid'],
} as const satisfies Record<string, readonly [number, string]>;

/** What the mint refuses. Sent as HTTP 400 `{detail, code}` (NUT-00). */
export class MintError extends Error {
  readonly code: number;
  readonly status: number;

  constructor(name: keyof typeof table, detail?: string) {
    const [code, text] = table[name];
    super(detail === undefined ? text : `${text}: ${detail}`);
    this.name = 'MintError';
    this.code = code;
    this.status = name === 'unknown_path' ? 404 : 400;
  }
}
