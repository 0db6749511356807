// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../../error.ts';
import { type ExactJson, type ExactObject, isExactObject } from './json.ts';

/** Segments of a path below `data`; the root of all has none. */
export type DataPath = readonly string[];

/** A root as written (`a/b`, slashes around it do not count) as segments. */
export function rootSegments(root: string): DataPath {
  const trimmed = root.replace(/^\/+|\/+$/g, '');
  return trimmed === '' ? [] : trimmed.split('/');
}

const startsWith = (path: DataPath, start: DataPath): boolean =>
  start.length <= path.length && start.every((segment, index) => path[index] === segment);

/** Whether something at `path` belongs to one of these roots. */
export const isBelow = (roots: readonly string[], path: DataPath): boolean =>
  roots.some((root) => startsWith(path, rootSegments(root)));

/** Whether two roots are the same or one holds the other. */
export function overlap(a: string, b: string): boolean {
  const [left, right] = [rootSegments(a), rootSegments(b)];
  return startsWith(left, right) || startsWith(right, left);
}

/** The first path of a document that belongs to no root; undefined where all of it does. */
export function pathOutside(data: ExactObject, roots: readonly string[]): DataPath | undefined {
  return outside(data, roots, []);
}

function outside(value: ExactJson, roots: readonly string[], path: DataPath): DataPath | undefined {
  if (isBelow(roots, path)) return undefined;
  const leads = roots.some((root) => startsWith(rootSegments(root), path));
  if (!leads || !isExactObject(value)) return path;
  for (const [key, item] of value) {
    const found = outside(item, roots, [...path, key]);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What a bundle owns. */
export interface Owner {
  readonly name: string;
  readonly roots: readonly string[];
}

/**
 * Refuses bundles that own the same part of `data`: which of the two would count is a matter of order.
 * @throws {EngineError} BUNDLE_ROOTS
 */
export function refuseSharedRoots(owners: readonly Owner[]): void {
  for (const [index, owner] of owners.entries())
    for (const other of owners.slice(index + 1))
      for (const root of owner.roots)
        for (const second of other.roots)
          if (overlap(root, second))
            throw new EngineError(
              'BUNDLE_ROOTS',
              `bundles ${JSON.stringify(owner.name)} and ${JSON.stringify(other.name)} own the same part of data: roots ${JSON.stringify(root)} and ${JSON.stringify(second)}`,
              { hint: 'give each bundle roots of its own in its .manifest' },
            );
}

const IDENTIFIER = /[A-Za-z_][A-Za-z0-9_]*/y;
const QUOTED = /\["(?:[^"\\\n]|\\.)*"\]/y;

/**
 * The package of a Rego file, by the one clause that must come first: comments, `package`, a reference of names and quoted strings.
 * Undefined where that cannot be told, which is for the caller to refuse.
 */
export function packageOf(text: string): DataPath | undefined {
  const start = /^(?:\s|#[^\n]*(?:\n|$))*package[ \t]+/.exec(text.replace(/^\ufeff/, ''));
  if (start === null) return undefined;
  const rest = text.replace(/^\ufeff/, '');
  const path: string[] = [];
  let at = start[0].length;
  for (;;) {
    const found = segmentAt(rest, at, path.length === 0);
    if (found === undefined) break;
    path.push(found.segment);
    at = found.end;
  }
  return path.length > 0 && /^[ \t\r]*(?:[\n;#]|$)/.test(rest.slice(at)) ? path : undefined;
}

function segmentAt(
  text: string,
  at: number,
  isFirst: boolean,
): { readonly segment: string; readonly end: number } | undefined {
  if (!isFirst && text[at] === '[') {
    QUOTED.lastIndex = at;
    const found = QUOTED.exec(text)?.[0];
    return found === undefined ? undefined : quoted(found, at);
  }
  const dot = isFirst ? '' : '.';
  if (!text.startsWith(dot, at)) return undefined;
  IDENTIFIER.lastIndex = at + dot.length;
  const segment = IDENTIFIER.exec(text)?.[0];
  return segment === undefined ? undefined : { segment, end: at + dot.length + segment.length };
}

function quoted(found: string, at: number): { readonly segment: string; readonly end: number } | undefined {
  try {
    const segment: unknown = JSON.parse(found.slice(1, -1));
    return typeof segment === 'string' ? { segment, end: at + found.length } : undefined;
  } catch {
    return undefined; // an escape that only Rego knows
  }
}
