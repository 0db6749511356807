// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import type { Document } from '../manifest/index.ts';
import { readTyped, type Subject } from '../schema/read.ts';
import type { Fault } from '../schema/reading.ts';
import { kindOf } from '../schema/table.ts';
import { canonicalBytes, exactText, parseExact } from './canonical.ts';
import { isSecret, keysOf, LAST_APPLIED } from './secret.ts';

/** What the API server writes into an object that nobody applied; `status` beside it. */
const SERVER_METADATA: ReadonlySet<string> = new Set([
  'creationTimestamp',
  'resourceVersion',
  'uid',
  'generation',
  'managedFields',
  'selfLink',
]);
const OWN_ANNOTATION = /^(?:[^/]+\.)?countersign\.dev\//;

type Members = Readonly<Record<string, unknown>>;

const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An object as its own type reads it. */
export interface ReadObject {
  /** SHA-256 (hex) of its normal form. */
  readonly digest: string;
  /** What strict decoding refuses of it, in full; none for a kind that is not built in. */
  readonly faults: () => readonly Fault[];
}

const read = new WeakMap<Document, ReadObject>();

/** Of objects whose content is held only the digest is kept, and what the last one was read as. */
const digests = new WeakMap<Document, string>();
let latest: { readonly document: Document; readonly object: ReadObject } | undefined;

/**
 * Reads an object once, for its digest and for what is wrong with it. The digest is over the canonical JSON of the object in normal
 * form (`k8s-set-v1`): a built-in kind as Kubernetes' own types write it, anything else, and an object that strict decoding refuses, as
 * it was read; without what the API server adds, and a Secret with the names of its keys only.
 *
 * An object that is refused keeps every field, so that none which Kubernetes would drop can hide a change.
 * @throws {EngineError} INPUT_NUMBER for a number that no double can hold
 */
export function readObject(document: Document): ReadObject {
  if (document.isHeld === true) return readHeld(document);
  const known = read.get(document);
  if (known !== undefined) return known;
  const found = readAnew(document);
  read.set(document, found);
  return found;
}

function readHeld(document: Document): ReadObject {
  const whole = (): ReadObject => {
    if (latest?.document !== document) latest = { document, object: readAnew(document) };
    return latest.object;
  };
  const digest = digests.get(document) ?? whole().digest;
  digests.set(document, digest);
  return { digest, faults: () => whole().faults() };
}

function readAnew(document: Document): ReadObject {
  const { id, value: whole } = document;
  const struct = id && kindOf(id.apiVersion, id.kind)?.struct;
  const value = applied(whole);
  if (struct === undefined) return { digest: digestOf(asRead(document, value)), faults: () => [] };
  const { faults, text } = readTyped(struct, subjectOf(document, value), LEFT_OUT);
  return {
    digest: digestOf(faults.length === 0 ? reduced(document, text) : asRead(document, value)),
    // What the API server added has been left out, and may be wrong as well.
    faults: () => (value === whole ? faults : readTyped(struct, subjectOf(document, whole)).faults),
  };
}

const digestOf = (text: string | Uint8Array): string => hash('sha256', text, 'hex');

const subjectOf = ({ json, value: whole }: Document, value: unknown): Subject => ({
  value,
  exact: () => (value === whole ? parseExact(json) : applied(parseExact(json))),
});

function asRead(document: Document, value: unknown): string | Uint8Array {
  const isWhole = value === document.value && !isSecret(document.value);
  return isWhole
    ? canonicalBytes(document.json)
    : reduced(document, exactText(applied(parseExact(document.json))));
}

const reduced = (document: Document, text: string): string =>
  isSecret(document.value) ? withoutValues(text) : text;

const LEFT_OUT: ReadonlySet<string> = new Set(['status']);

/** The object without what the API server adds and what is empty then; the same object where there is nothing of it. */
function applied(value: unknown): unknown {
  if (!isMembers(value)) return value;
  const metadata = appliedMetadata(value['metadata']);
  const isBare = isMembers(metadata) && Object.keys(metadata).length === 0;
  if (metadata === value['metadata'] && !isBare && !Object.hasOwn(value, 'status')) return value;
  const { status: _status, metadata: _metadata, ...rest } = value;
  return metadata === undefined || isBare ? rest : { ...rest, metadata };
}

function appliedMetadata(metadata: unknown): unknown {
  if (!isMembers(metadata)) return metadata;
  const annotations = appliedAnnotations(metadata['annotations']);
  const isSame = annotations === metadata['annotations'];
  if (isSame && !Object.keys(metadata).some((key) => SERVER_METADATA.has(key))) return metadata;
  const kept = Object.entries(metadata).filter(
    ([key]) => !SERVER_METADATA.has(key) && !(key === 'annotations' && annotations === undefined),
  );
  return Object.fromEntries(kept.map(([key, item]) => [key, key === 'annotations' ? annotations : item]));
}

/** Undefined where nothing is left. */
function appliedAnnotations(annotations: unknown): unknown {
  if (!isMembers(annotations)) return annotations;
  const entries = Object.entries(annotations);
  const kept = entries.filter(([key]) => key !== LAST_APPLIED && !OWN_ANNOTATION.test(key));
  if (kept.length === 0) return undefined;
  return kept.length === entries.length ? annotations : Object.fromEntries(kept);
}

/** The digest of a value would let anyone who holds it test guesses. */
function withoutValues(text: string): string {
  const members = Object.entries(Object(parseExact(Buffer.from(text)))).map(([key, value]) =>
    key === 'data' || key === 'stringData' ? [key, keysOf(value)] : [key, value],
  );
  return exactText(Object.fromEntries(members));
}
