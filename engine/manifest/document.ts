// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../error.ts';

/** Any JSON; objects may have a key `__proto__`, so they are read by own keys only. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** One file, or standard input, with the name the user gave it. */
export interface Source {
  /** The path as the user gave it, or `-`. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Where the lines of a rendered stream came from, in their order; absent for a file. */
  readonly origins?: readonly SourceOrigin[];
}

/** The lines of a stream from `line` (1-based) up to the next origin's came from `file`. */
export interface SourceOrigin {
  readonly line: number;
  readonly file: string;
}

/** What Kubernetes calls an object by; a name that is to be generated is its prefix, one that is missing is empty. */
export interface ObjectId {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

/** One object from a manifest, with where it came from. */
export interface Document {
  /** Exact UTF-8 JSON: integers of 64 bits as they are. */
  readonly json: Uint8Array;
  /** The same as a value; numbers beyond 2^53 are inexact here, so only identity and images are read from it. */
  readonly value: JsonValue;
  /** Undefined when the value is not an object with `apiVersion` and `kind`. */
  readonly id: ObjectId | undefined;
  readonly file: string;
  /** 1-based line of the file on which the YAML document begins; all items of a List have the List's. */
  readonly line: number;
  /** Ordinal of the YAML document in its file, from 0, not counting empty ones. */
  readonly index: number;
  /** JSON pointer inside the YAML document: `''`, or `/items/3` for an item of a List. */
  readonly pointer: string;
  /** Byte range of the YAML document in its file; the whole file when absent. */
  readonly range?: readonly [start: number, end: number];
  /** What YAML 1.1 reads as something that its author may not have meant; absent where there is nothing of the kind. */
  readonly remarks?: readonly Remark[];
  /** Its `json` and `value` are read from its file again when they are asked for, so it is best looked at in the order of files. */
  readonly isHeld?: true;
}

/** What is to be said of one place in a Document that was read as it stands. */
export interface Remark {
  /** RFC 6901 pointer inside the Document. */
  readonly pointer: string;
  readonly message: string;
  readonly hint: string;
}

export const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The own member of an object; undefined for anything else. */
export const member = (value: JsonValue | undefined, key: string): JsonValue | undefined =>
  isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;

/** The own member, where it is a string that is not empty. */
export function textMember(value: JsonValue | undefined, key: string): string | undefined {
  const text = member(value, key);
  return typeof text === 'string' && text !== '' ? text : undefined;
}

/** The identity of an object, or undefined for JSON that is not a Kubernetes object. */
export function idOf(value: JsonValue): ObjectId | undefined {
  const apiVersion = textMember(value, 'apiVersion');
  const kind = textMember(value, 'kind');
  if (apiVersion === undefined || kind === undefined) return undefined;
  const metadata = member(value, 'metadata');
  const namespace = textMember(metadata, 'namespace');
  const name = textMember(metadata, 'name') ?? textMember(metadata, 'generateName') ?? '';
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

/** What ends a line, hides or parts: control and format characters, lone surrogates and every kind of space. */
const PARTING = /[\p{Cc}\p{Cf}\p{Cs}\p{Z}]/u;
/** A name is the last field of its line, so the space that Kubernetes allows in names of RBAC ends nothing there; others deceive. */
const PARTING_NAME = /\/|[\p{Cc}\p{Cf}\p{Cs}]|(?! )\p{Z}/u;

/**
 * Refuses an identity that would read as another in a listing: lines are `<hex>  <group>/<Kind>/<namespace>/<name>`, so no part may
 * hold what ends a line or parts its fields. Kubernetes allows control and format characters in the names of Roles too; we do not.
 * @throws {EngineError} INPUT_SHAPE, without a location
 */
export function refuseUnlistable(document: Document): void {
  const { id } = document;
  const fault =
    id === undefined ? unlistable('file', document.file, /[\p{Cc}\p{Cs}\u2028\u2029]/u) : faultOf(id);
  if (fault === undefined) return;
  throw new EngineError('INPUT_SHAPE', fault, {
    hint: 'a record lists objects by group, kind, namespace and name: rename it without slashes, control characters, and spaces other than the plain one in a name',
  });
}

function faultOf({ apiVersion, kind, namespace = '', name }: ObjectId): string | undefined {
  const isVersion = /^[^/]+(?:\/[^/]+)?$/.test(apiVersion) && !PARTING.test(apiVersion);
  if (!isVersion) return `apiVersion ${JSON.stringify(apiVersion)} is no group and version`;
  const parting = new RegExp(`/|${PARTING.source}`, 'u');
  return (
    unlistable('kind', kind, parting) ??
    unlistable('namespace', namespace, parting) ??
    unlistable('name', name, PARTING_NAME)
  );
}

const unlistable = (part: string, text: string, refused: RegExp): string | undefined =>
  refused.test(text)
    ? `${part} ${JSON.stringify(text)} holds a character that would forge a listing`
    : undefined;
