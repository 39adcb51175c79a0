export { CashuError } from './errors.ts';
export type { RedeemerEvent } from './events.ts';
export type { IncomingToken } from './incoming-token.ts';
export { parsePublicKey } from './keys.ts';
export { normalizeMintUrl } from './mint-url.ts';
export { paymentRequest } from './payment-request.ts';
export {
  type Credited,
  createRedeemer,
  type MintListing,
  type Redeemer,
  type RedeemerOptions,
} from './redeemer.ts';
export type { RedemptionTarget } from './redemption-store.ts';
export { refundPublicKey } from './refund-key.ts';
