// SPDX-License-Identifier: Apache-2.0
// What is proved about an image: what is attached to it is found (find.ts: referrers.ts, cosign's older layouts as bundles in
// legacy.ts) and verified one by one (prove.ts; prover.ts is that with the trust of an environment). What a registry says is only where
// to look; it counts when its digest was compared, and proves something when its signature was.

export { attach, type NewAttachment, resolveImage, type Subject } from './attach.ts';
export { type Attachment, type Found, findAttachments, type ImageDigest } from './find.ts';
export {
  COSIGN_SIGN,
  type ImageClaim,
  type ImageQuestion,
  type Proved,
  proveImage,
  type Refused,
} from './prove.ts';
export { openProver, type Prover, type ProverParts } from './prover.ts';
