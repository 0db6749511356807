// SPDX-License-Identifier: Apache-2.0
// Signed statements → claims. attest proves who signed which bytes; here the bytes are read: claim.ts is the straight line, and each
// predicate type has its shape (predicates.schema.json) and its reader, which puts what different tools call by different names into
// one normalised form. What is not known is passed on and marked so; what is known and malformed is refused.
export {
  type Claim,
  type ClaimProof,
  type ClaimRefusalCode,
  type ClaimSigner,
  type ClaimVerdict,
  claimsText,
  MAX_STATEMENT_BYTES,
  readClaim,
} from './claim.ts';
export { PREDICATE_TYPES } from './predicates.ts';
