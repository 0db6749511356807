// SPDX-License-Identifier: Apache-2.0
import { AttestError } from '../error.ts';

/** A pattern of a URL, compared segment by segment and always with the whole text; no regular expression is made of it. */
export interface Glob {
  readonly glob: string;
  readonly segments: readonly Segment[];
  /** Whether it ends in `**`: one segment or more, whatever they are. */
  readonly isOpen: boolean;
}

/** A segment is exact, or what it begins and ends with. */
type Segment = string | { readonly prefix: string; readonly suffix: string };

/** Host and the first segment of the path. */
const LITERAL_SEGMENTS = 2;

/**
 * Reads a pattern: `*` is anything within one segment, at most once in each; `**` as the last segment is all that follows. Scheme, host
 * and the first segment of the path must be literal: an identity below a host that everybody can sign up to is anybody's.
 * @throws {AttestError} TRUST_SHAPE
 */
export function readGlob(glob: string): Glob {
  const parts = glob.split('/');
  const isOpen = parts.at(-1) === '**';
  const segments = (isOpen ? parts.slice(0, -1) : parts).map(readSegment);
  const [scheme, nothing, ...rest] = segments;
  const literal = rest.slice(0, LITERAL_SEGMENTS);
  const isAnchored =
    typeof scheme === 'string' &&
    scheme.endsWith(':') &&
    nothing === '' &&
    literal.length === LITERAL_SEGMENTS &&
    literal.every((segment) => typeof segment === 'string' && segment !== '');
  if (!isAnchored || /\s/.test(glob) || segments.includes(undefined)) throw shape(glob);
  return { glob, isOpen, segments: segments.filter((segment) => segment !== undefined) };
}

function readSegment(text: string): Segment | undefined {
  const [prefix, suffix, more] = text.split('*');
  if (suffix === undefined) return text;
  return more === undefined && prefix !== undefined ? { prefix, suffix } : undefined;
}

const shape = (glob: string): AttestError =>
  new AttestError('TRUST_SHAPE', `the pattern ${JSON.stringify(glob)} is too wide or malformed`, {
    hint: 'begin with scheme, host and a first segment that are literal: https://host/owner/*',
  });

/** Whether the whole text is one that the pattern means. */
export function isMatch({ segments, isOpen }: Glob, text: string): boolean {
  const parts = text.split('/');
  if (isOpen ? parts.length <= segments.length : parts.length !== segments.length) return false;
  return segments.every((segment, index) => isSegment(segment, parts[index] ?? ''));
}

function isSegment(segment: Segment, text: string): boolean {
  if (typeof segment === 'string') return segment === text;
  const { prefix, suffix } = segment;
  return text.length >= prefix.length + suffix.length && text.startsWith(prefix) && text.endsWith(suffix);
}
