// SPDX-License-Identifier: Apache-2.0
import type { CustomKind } from '../context/project.ts';
import { objectId } from '../decide/finding.ts';
import { EngineError } from '../error.ts';
import { type Document, member, type ObjectId, textMember, withContent } from '../manifest/index.ts';
import { type CustomKinds, groupOf, isDefinition, kindOf, readCustomKinds } from '../schema/index.ts';
import { isRecord } from '../schema/reading.ts';
import { exactText, parseExact } from './canonical.ts';

/** Whether a kind's objects are in a namespace; undefined where that is not known. */
export type Scopes = (id: ObjectId) => boolean | undefined;

/** What says where custom kinds live beside the definitions among the documents. */
export interface ScopeSources {
  /** Definitions that are given. */
  readonly customKinds?: CustomKinds | undefined;
  /** The Project's word, where there is no definition. */
  readonly stated?: readonly CustomKind[] | undefined;
}

/**
 * Scopes from the built-in kinds, then the definitions among the documents, then those given, then the Project (`k8s-set-v1`: a kind
 * whose scope nobody knows is no part of a record).
 */
export function scopesOf(
  documents: readonly Document[],
  { customKinds, stated = [] }: ScopeSources = {},
): Scopes {
  const scopes = new Map(
    stated.map(({ group, kind, scope }) => [`${group}/${kind}`, scope === 'Namespaced']),
  );
  const own = documents.some(isDefinition) ? readCustomKinds(documents) : undefined;
  return ({ apiVersion, kind }) =>
    kindOf(apiVersion, kind)?.isNamespaced ??
    own?.isNamespaced(apiVersion, kind) ??
    customKinds?.isNamespaced(apiVersion, kind) ??
    scopes.get(`${groupOf(apiVersion)}/${kind}`);
}

/** The documents as they are applied to a namespace: what is in one and names none gets it. */
export function inNamespace(
  documents: readonly Document[],
  namespace: string,
  scopes: Scopes,
): readonly Document[] {
  return documents.map((document) => {
    const { id } = document;
    const isBare = id !== undefined && id.namespace === undefined && scopes(id) === true;
    return isBare ? placedIn(document, id, namespace) : document;
  });
}

function placedIn(document: Document, id: ObjectId, namespace: string): Document {
  // A name stands in metadata that are an object.
  if (id.name === '' && !isRecord(member(document.value, 'metadata') ?? {})) return document;
  return withContent(document, { ...id, namespace }, (whole) => {
    const object: Record<string, unknown> = Object(parseExact(whole.json));
    const json = Buffer.from(
      exactText({ ...object, metadata: { ...Object(object['metadata']), namespace } }),
    );
    return { json, value: JSON.parse(json.toString()) };
  });
}

/**
 * A record names each object, so each must have its final name, and its namespace if it is in one.
 * @throws {EngineError} INPUT_SHAPE
 */
export function refuseUnrecordable(documents: readonly Document[], scopes: Scopes): void {
  for (const document of documents) {
    const { id } = document;
    if (id === undefined) continue;
    const fault = nameFault(document) ?? namespaceFault(id, scopes);
    if (fault === undefined) continue;
    throw new EngineError('INPUT_SHAPE', `${quoted(id)} ${fault.message}`, {
      hint: fault.hint,
      location: { file: document.file, line: document.line, column: 1 },
    });
  }
}

const quoted = (id: ObjectId): string => JSON.stringify(objectId(id));

interface Unrecordable {
  readonly message: string;
  readonly hint: string;
}

function nameFault({ value }: Document): Unrecordable | undefined {
  const metadata = member(value, 'metadata');
  if (textMember(metadata, 'name') !== undefined) return undefined;
  return textMember(metadata, 'generateName') === undefined
    ? { message: 'has no name', hint: 'give it a name' }
    : {
        message: 'has a name that is to be generated, which no record can hold',
        hint: 'give it a name: what was approved could not be told from what is applied',
      };
}

function namespaceFault(id: ObjectId, scopes: Scopes): Unrecordable | undefined {
  if (id.namespace !== undefined) return undefined;
  const isNamespaced = scopes(id);
  if (isNamespaced === false) return undefined;
  return isNamespaced === true
    ? { message: 'names no namespace', hint: 'name the one it is applied to: --namespace NAME' }
    : {
        message: 'may be in a namespace or not: its kind is not known',
        hint: 'give its CustomResourceDefinition with --crds, or its scope under customKinds in the Project',
      };
}
