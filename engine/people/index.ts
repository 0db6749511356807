// SPDX-License-Identifier: Apache-2.0
// What people sign: approvals, waivers, revocations, break-glass and release locks. `statement` makes and reads them by their published
// schemas, `claimed` says what an unverified file claims, `signed` verifies one, `gather` says what of them holds in an environment; all that loads only where a Project has people.
// The rest are functions over plain values, which every judgement asks (`standing`): `waiver`, `approval`, `break_glass`, `lock`.
export { type Approval, type Asked, isApprovalRule } from './approval.ts';
export { brokenGlass, environmentDigest } from './break_glass.ts';
export { usesOf } from './claimed.ts';
export { type Gathered, gather } from './gather.ts';
export { authorsOf, type Imported, sourceOf } from './imported.ts';
export { imageName, type Lock, type LockEntry, lockFindings } from './lock.ts';
export { type Review, reviewsOf } from './reviews.ts';
export {
  type FileProof,
  isSigned,
  readSigned,
  type Signed,
  type SignedOf,
  type StatementFile,
  takenBackBy,
} from './signed.ts';
export type { Standing } from './standing.ts';
export {
  kindOf,
  type Predicates,
  readStatementOf,
  type StatementKind,
  statementBytes,
  statementId,
  typeOf,
} from './statement.ts';
export { isWaivable, lengthFault, scopeDigest, tooLongFor, tooLongWaivers, type Waiver } from './waiver.ts';
