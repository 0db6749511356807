// SPDX-License-Identifier: Apache-2.0
import { stringOf } from './text.ts';

interface Version {
  readonly numbers: readonly bigint[];
  readonly preRelease: string;
}

const MAX_INT64 = 2n ** 63n - 1n;
const IDENTIFIERS = /^[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*$/;

/** @see OPA `builtinSemVerIsValid` */
export function semverIsValid([parameter]: readonly string[]): string {
  const text = stringOf(parameter);
  return String(text !== undefined && parse(text) !== undefined);
}

/**
 * @throws {RangeError} where OPA's own builtin would never end: pre-releases that differ only in numbers of more than 63 bits
 * @see OPA `builtinSemVerCompare`, https://semver.org §11
 */
export function semverCompare(parameters: readonly string[]): string | undefined {
  const [a, b] = parameters.map(stringOf).map((text) => (text === undefined ? undefined : parse(text)));
  return a === undefined || b === undefined ? undefined : String(compare(a, b));
}

/** As OPA parses: a leading `v` is no part of the version, build metadata is checked and dropped. @see OPA `semver.Parse` */
function parse(text: string): Version | undefined {
  const [beforeMeta, metadata] = cut(text.startsWith('v') ? text.slice(1) : text, '+');
  if (metadata !== undefined && !IDENTIFIERS.test(metadata)) return undefined;
  const [core, preRelease] = cut(beforeMeta, '-');
  if (preRelease !== undefined && !isPreRelease(preRelease)) return undefined;
  const parts = core.split('.');
  if (parts.length !== 3 || !parts.every((part) => /^(?:0|[1-9]\d*)$/.test(part) && part.length < 20))
    return undefined;
  const numbers = parts.map(BigInt);
  return numbers.every((number) => number <= MAX_INT64)
    ? { numbers, preRelease: preRelease ?? '' }
    : undefined;
}

function cut(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** No number has a leading zero. */
const isPreRelease = (text: string): boolean =>
  IDENTIFIERS.test(text) && text.split('.').every((part) => !/^0\d+$/.test(part));

function compare(a: Version, b: Version): -1 | 0 | 1 {
  for (const [index, left] of a.numbers.entries()) {
    const right = b.numbers[index] ?? 0n;
    if (left !== right) return left > right ? 1 : -1;
  }
  if (a.preRelease === b.preRelease) return 0;
  if (a.preRelease === '') return 1;
  if (b.preRelease === '') return -1;
  return comparePreReleases(a.preRelease.split('.'), b.preRelease.split('.'));
}

function comparePreReleases(a: readonly string[], b: readonly string[]): -1 | 1 {
  for (let index = 0; ; index++) {
    const [left, right] = [a[index], b[index]];
    if (left === undefined && right === undefined)
      throw new RangeError('pre-releases differ only in numbers of more than 63 bits');
    if (left === undefined) return -1;
    if (right === undefined) return 1;
    const order = compareIdentifiers(left, right);
    if (order !== 0) return order;
  }
}

/** Numbers are below words; what is beyond 63 bits counts as the largest number. */
function compareIdentifiers(a: string, b: string): -1 | 0 | 1 {
  const [isNumber, isOther] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (isNumber !== isOther) return isNumber ? -1 : 1;
  const [left, right] = isNumber ? [clamped(a), clamped(b)] : [a, b];
  return left === right ? 0 : left > right ? 1 : -1;
}

const clamped = (digits: string): bigint => {
  if (digits.length > 19) return MAX_INT64;
  const value = BigInt(digits);
  return value > MAX_INT64 ? MAX_INT64 : value;
};
