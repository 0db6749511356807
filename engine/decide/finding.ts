// SPDX-License-Identifier: Apache-2.0
import type { Location } from '../error.ts';

export type Severity = 'low' | 'medium' | 'high' | 'critical';
export type FindingResult = 'fail' | 'warn' | 'error' | 'skip';

/** Which object a finding speaks of; all parts are empty strings for a document that is no Kubernetes object. */
export interface FindingObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

/** What one rule says of one Document (PolicyReport's result). */
export interface Finding {
  readonly rule: string;
  readonly result: FindingResult;
  readonly message: string;
  readonly severity: Severity;
  readonly controls: readonly string[];
  readonly remedy?: string;
  readonly object: FindingObject;
  /** RFC 6901 pointer into the object. */
  readonly path?: string;
  readonly location?: Location;
  readonly waiver?: string;
  /** It was true of the object before an UPDATE that leaves the object as it was: it warns instead of failing. */
  readonly inherited?: true;
}

const SURROGATE = /[\ud800-\udfff]/;

/** The order of the texts' UTF-8 bytes; that of UTF-16 is the same but for surrogates. */
export function bytewise(a: string, b: string): number {
  if (SURROGATE.test(a) || SURROGATE.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The id of an object in listings and records: `<group>/<Kind>/<namespace>/<name>` (core group and no namespace are empty). */
export function objectId(object: FindingObject): string {
  const group = object.apiVersion.includes('/')
    ? object.apiVersion.slice(0, object.apiVersion.indexOf('/'))
    : '';
  // Joined, which makes one text: a sum keeps its parts, and a set has very many ids.
  return [group, object.kind, object.namespace ?? '', object.name].join('/');
}

/** Orders findings by object, rule, path and message, each bytewise, so that the same Decision prints the same everywhere. */
export function compareFindings(a: Finding, b: Finding): number {
  return (
    bytewise(objectId(a.object), objectId(b.object)) ||
    bytewise(a.rule, b.rule) ||
    bytewise(a.path ?? '', b.path ?? '') ||
    bytewise(a.message, b.message) ||
    bytewise(placeOf(a), placeOf(b))
  );
}

const placeOf = (finding: Finding): string => {
  if (finding.location === undefined) return '';
  const { file, line, column } = finding.location;
  return `${file}:${String(line).padStart(9, '0')}:${String(column).padStart(9, '0')}`;
};
