export { CashuError, type CashuErrorCode } from './errors.ts';
export type { RedeemerEvent } from './events.ts';
export type { IncomingToken } from './incoming-token.ts';
export { parsePublicKey, parseViewKey } from './keys.ts';
export { normalizeMintUrl } from './mint-url.ts';
export { type PaymentRequestFields, paymentRequest } from './payment-request.ts';
export {
  type Bringer,
  type Credited,
  createRedeemer,
  type MintListing,
  type MintStatus,
  type RecoveryReport,
  type Redeemer,
  type RedeemerOptions,
} from './redeemer.ts';
export type { RedemptionStore, RedemptionTarget } from './redemption-store.ts';
export { refundPublicKey } from './refund-key.ts';
