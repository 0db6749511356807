// SPDX-License-Identifier: Apache-2.0
import { type ExactJson, type ExactNumber, type ExactObject, isExactObject } from '../json.ts';
import { type Glob, isPattern, literal, matches, parseGlob } from './glob.ts';

/** The language of a bundle's files: of all, and of those that patterns name, of which the first in order counts. */
export interface RegoVersions {
  readonly all?: 0 | 1;
  readonly files: readonly FileVersion[];
}

interface FileVersion {
  readonly pattern: string;
  /** Absent where the pattern is a plain path. */
  readonly glob?: Glob;
  readonly version: 0 | 1;
}

/** How many patterns a manifest may have; each is held against every file. Plain paths do not count. */
const MAX_PATTERNS = 256;
const MAX_LENGTH = 1_024;

type Fail = (why: string) => never;

/** Reads `rego_version` and `file_rego_versions`; undefined where neither is stated. */
export function readVersions(manifest: ExactObject, fail: Fail): RegoVersions | undefined {
  const stated = manifest.get('rego_version');
  const files = manifest.get('file_rego_versions');
  if (stated === undefined && files === undefined) return undefined;
  const perFile =
    files === undefined || isExactObject(files) ? files : fail('has file_rego_versions that are no object');
  const read = [...(perFile ?? [])].map(
    ([pattern, value]): FileVersion => ({
      pattern,
      version: versionOf(value, `file_rego_versions ${JSON.stringify(pattern)}`, fail),
      ...(isPattern(pattern) ? { glob: globOf(pattern, fail) } : {}),
    }),
  );
  if (read.filter(({ glob }) => glob !== undefined).length > MAX_PATTERNS)
    fail(`has more than ${MAX_PATTERNS} patterns in file_rego_versions`);
  return {
    files: read.sort((a, b) => Buffer.compare(Buffer.from(a.pattern), Buffer.from(b.pattern))),
    ...(stated === undefined ? {} : { all: versionOf(stated, 'rego_version', fail) }),
  };
}

const isExactNumber = (value: ExactJson): value is ExactNumber =>
  typeof value === 'object' && value !== null && 'number' in value;

/** OPA knows a version 2 as well; what it means differs, so it is no synonym. */
function versionOf(value: ExactJson, key: string, fail: Fail): 0 | 1 {
  const text = isExactNumber(value) ? value.number : '';
  if (text === '0') return 0;
  return text === '1' ? 1 : fail(`states a version of Rego that is neither 0 nor 1: ${key}`);
}

function globOf(pattern: string, fail: Fail): Glob {
  if (pattern.length > MAX_LENGTH)
    fail(`has a pattern of more than ${MAX_LENGTH} characters in file_rego_versions`);
  try {
    return parseGlob(pattern);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    return fail(`has a malformed pattern ${JSON.stringify(pattern)} in file_rego_versions: ${cause.message}`);
  }
}

/**
 * Whether a file of the bundle is Rego v0; undefined where the manifest does not say. OPA's own archives write paths with a leading
 * slash and other people's do not, and OPA matches what stands there; here both are the same file.
 */
export function isV0(versions: RegoVersions | undefined, path: string): boolean | undefined {
  const found = versions?.files.find(({ pattern, glob }) =>
    [path, `/${path}`].some((each) => (glob === undefined ? each === pattern : matches(glob, each))),
  );
  const version = found?.version ?? versions?.all;
  return version === undefined ? undefined : version === 0;
}

/** What a manifest states so that these files are read as they were, by OPA too, from an archive and from a folder. */
export function statedVersions(files: readonly { readonly path: string; readonly v0: boolean }[]): object {
  const old = files.filter(({ v0 }) => v0);
  if (old.length === 0) return { rego_version: 1 };
  if (old.length === files.length) return { rego_version: 0 };
  const patterns = old.flatMap(({ path }) => [literal(path), literal(`/${path}`)]).sort();
  return { rego_version: 1, file_rego_versions: Object.fromEntries(patterns.map((pattern) => [pattern, 0])) };
}
