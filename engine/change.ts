// SPDX-License-Identifier: Apache-2.0
import type { Decision, Operation, Phase } from './decide/decision.ts';
import type { Document, JsonObject, Source } from './manifest/index.ts';
import type { ApprovalCount, Asked } from './people/approval.ts';
import type { Claims } from './policy/input.ts';
import type { ObjectSet } from './record/set.ts';
import type { Kept } from './replay/kept.ts';

/** One change as the edges hand it over: what is to be judged and how it came. */
export interface Change {
  readonly phase: Phase;
  readonly operation: Operation;
  /** What is judged. A DELETE has the old object here, a CONNECT its options. */
  readonly documents: readonly Document[];
  /** The files the documents were read from, for positions; empty at admission. */
  readonly sources: readonly Source[];
  /** JSON bytes of the AdmissionRequest without `object` and `oldObject`. */
  readonly request?: Uint8Array;
  /** JSON bytes of `oldObject` on UPDATE. */
  readonly oldObject?: Uint8Array;
  readonly requester?: Requester;
  /** What the id tokens of whoever asks prove, as `input.context.oidc` has it; absent where there were none. */
  readonly oidc?: readonly JsonObject[];
  /** The namespace the request names, from which the environment follows. */
  readonly namespace?: string;
  /** Who asks for a set of objects, and who wrote it; of an admission `requester` says it. */
  readonly asked?: Asked;
  /** What was proved about the images, before anything is judged; absent where nothing was looked for. */
  readonly claims?: Claims;
  /** SHA-256 (hex) of whom all of this was believed of (`trustDigest`); absent where nothing was, or the bench says it. */
  readonly trustDigest?: string;
}

/** Who asked for what is judged at admission, as the AdmissionRequest says; nothing of it is about the object itself. */
export interface Requester {
  /** `userInfo.username`; absent where the request names nobody. */
  readonly username?: string;
  readonly uid: string;
  readonly subResource?: string;
  /** Whether the connection proved to be the API server's: if not, all of this is its caller's word. */
  readonly isAuthenticated: boolean;
}

/** A Decision with what a record needs beside it. */
export interface Judgement {
  readonly decision: Decision;
  /** The judged objects; `set.listing` is `set.txt`, whose SHA-256 is the set digest. */
  readonly set: ObjectSet;
  /** Every image that the objects name, each reference once; found when it is asked for: only a record does. */
  readonly images: () => readonly { readonly ref: string; readonly digest?: string }[];
  readonly requester?: Requester;
  /** What was proved, for the record to name it. */
  readonly proved?: Pick<Change, 'claims' | 'oidc'>;
  /** What the verdict is limited to besides its environment. */
  readonly scope?: { readonly namespaces: readonly string[] };
  /** Of an allow: when the set must have been applied first, at the latest. RFC 3339 in UTC. */
  readonly startBy?: string;
  /** What is to be kept beside the record, so that it can be evaluated again; absent where nothing is. */
  readonly kept?: () => Kept;
  readonly asked?: Asked;
  /** How the approvals of an environment that asks for some were counted. */
  readonly approvalRule?: ApprovalCount;
}

/** Evaluates one change against policies that were loaded before. Synchronous: the step limit bounds it, no clock. */
export interface Judge {
  review(change: Change, facts: ReviewFacts): Judgement;
}

/** What a judge is told besides the change. */
export interface ReviewFacts {
  readonly time: Date;
  /** UUIDv7 of the Decision. */
  readonly id: string;
  /** Called after each document; between documents nobody else has a turn. */
  readonly onProgress?: (done: number, total: number) => void;
}
