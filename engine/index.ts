// SPDX-License-Identifier: Apache-2.0
// The answer: bytes and facts in, Decision and Statement out. Nothing here knows of argv, streams, http or a clock:
// bytes -> Document[] (manifest) -> Input -> Policy.evaluate (policy over rego) -> Finding[] -> Decision (decide)
// -> Statement (record) -> sign and append (conclude, over attest). `review.ts` is that line read from top to bottom.
export type { Change, Judge, Judgement, Requester } from './change.ts';
export type { Decision, Operation, Phase, PolicyReference, Verdict } from './decide/decision.ts';
export { type Finding, type FindingObject, objectId, type Severity } from './decide/finding.ts';
export { EngineError, type EngineErrorCode, type Location, type Problem } from './error.ts';
export type { Document, Source } from './manifest/index.ts';
