// SPDX-License-Identifier: Apache-2.0
import type { Operation, Phase } from '../decide/decision.ts';
import { type Document, type Image, imagesOf } from '../manifest/index.ts';
import { reduceSecret } from '../record/secret.ts';

const VERSION = 'countersign.dev/v1alpha1';

/**
 * What was proved about images, by their digest (`sha256:…`): of each claim its canonical JSON text, verified and in order. A digest
 * that is not there was not asked about.
 */
export type Claims = ReadonlyMap<string, readonly string[]>;

/** What all inputs of one change have in common. */
export interface InputFrame {
  readonly phase: Phase;
  readonly operation: Operation;
  /** JSON text of `input.context`. */
  readonly context: string;
  /** JSON bytes of the AdmissionRequest without its objects. */
  readonly request?: Uint8Array;
  readonly oldObject?: Uint8Array;
  /** Absent where nobody looked for any. */
  readonly claims?: Claims;
}

const encoder = new TextEncoder();

/**
 * The input of a native rule (schema: `input.schema.json`): canonical JSON bytes with keys in order, the object's own bytes inside,
 * so that integers stay exact. Of a Secret's values a rule sees length and class only. On DELETE the document is `oldObject`.
 */
export function nativeInput(document: Document, frame: InputFrame): Uint8Array {
  const object = reduceSecret(document);
  const isDelete = frame.operation === 'DELETE';
  const oldObject = isDelete ? object : frame.oldObject;
  const images = isDelete ? [] : imagesOf(document);
  const parts: (string | Uint8Array)[] = [
    `{"apiVersion":"${VERSION}"`,
    ...(frame.claims === undefined ? [] : [`,"claims":[${claimsAbout(images, frame.claims).join()}]`]),
    `,"context":${frame.context},"images":${JSON.stringify(images)},"kind":"Input"`,
    ...(isDelete ? [] : [',"object":', object]),
    ...(oldObject === undefined ? [] : [',"oldObject":', oldObject]),
    `,"operation":"${frame.operation}","phase":"${frame.phase}"`,
    ...(frame.request === undefined ? [] : [',"request":', frame.request]),
    '}',
  ];
  return join(parts);
}

/** Only those about images of this object: of another one's nothing follows for it. */
function claimsAbout(images: readonly Image[], claims: Claims): readonly string[] {
  const digests = new Set(images.map(({ digest }) => digest ?? '').sort());
  return [...digests].flatMap((digest) => claims.get(digest) ?? []);
}

/** The input of a Conftest rule: the object itself, or nothing on DELETE, where there is no object to judge. */
export function conftestInput(document: Document, frame: InputFrame): Uint8Array | undefined {
  return frame.operation === 'DELETE' ? undefined : document.json;
}

function join(parts: readonly (string | Uint8Array)[]): Uint8Array {
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? encoder.encode(part) : part)));
}
