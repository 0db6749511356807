// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../../error.ts';
import { type ExactJson, type ExactObject, isExactObject, parseExact } from '../bundle/json.ts';
import type { SeenReleases } from './seen.ts';

/** What one reference stands for. */
export interface Pin {
  /** Of the manifest, `sha256:…`. */
  readonly digest: string;
  /** The name of its release, where it was signed: another one may not take its place. */
  readonly release?: string;
}

/** The file `countersign.lock`. */
export interface Lock {
  /** By `oci://registry/repository:tag`. */
  readonly bundles: ReadonlyMap<string, Pin>;
  readonly releases: SeenReleases;
}

export const EMPTY_LOCK: Lock = { bundles: new Map(), releases: new Map() };

const API_VERSION = 'countersign.dev/v1alpha1';
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/**
 * Reads a lock file. A malformed one is an error, never an empty one: it would forget what must not be forgotten.
 * @throws {EngineError} LOCK_SHAPE
 */
export function readLock(text: string, file: string): Lock {
  const fail = (why: string): never => {
    throw new EngineError('LOCK_SHAPE', `${JSON.stringify(file)} is no lock file: ${why}`, {
      hint: 'restore it from version control; policy pull --update writes it',
    });
  };
  const lock = objectOf(text, fail);
  const odd = [...lock.keys()].find((key) => !['apiVersion', 'kind', 'bundles', 'releases'].includes(key));
  if (odd !== undefined) fail(`it has the unknown key ${JSON.stringify(odd)}`);
  if (lock.get('apiVersion') !== API_VERSION || lock.get('kind') !== 'Lock') fail('its kind is another');
  return {
    bundles: mapOf(lock.get('bundles'), pinOf, fail),
    releases: mapOf(lock.get('releases'), seenOf, fail),
  };
}

type Fail = (why: string) => never;

function objectOf(text: string, fail: Fail): ExactObject {
  try {
    const value = parseExact(text);
    return isExactObject(value) ? value : fail('it is no object');
  } catch (error) {
    return error instanceof SyntaxError ? fail(error.message) : fail('it is malformed');
  }
}

function mapOf<T>(
  value: ExactJson | undefined,
  read: (item: ExactObject) => T | undefined,
  fail: Fail,
): ReadonlyMap<string, T> {
  if (!isExactObject(value)) return fail('it lacks "bundles" or "releases"');
  return new Map(
    [...value].map(([key, item]) => {
      const found = isExactObject(item) ? read(item) : undefined;
      return [key, found ?? fail(`what it says of ${JSON.stringify(key)} is malformed`)] as const;
    }),
  );
}

function pinOf(item: ExactObject): Pin | undefined {
  const [digest, release] = [item.get('digest'), item.get('release')];
  if (typeof digest !== 'string' || !DIGEST.test(digest)) return undefined;
  if (item.size > 2 || (item.size === 2 && typeof release !== 'string')) return undefined;
  return typeof release === 'string' ? { digest, release } : { digest };
}

function seenOf(item: ExactObject): { version: number; digest: string } | undefined {
  const [version, digest] = [item.get('version'), item.get('digest')];
  const text = typeof version === 'object' && version !== null && 'number' in version ? version.number : '';
  if (!/^[1-9]\d{0,15}$/.test(text) || !Number.isSafeInteger(Number(text)) || item.size !== 2)
    return undefined;
  return typeof digest === 'string' && DIGEST.test(digest) ? { version: Number(text), digest } : undefined;
}

const sorted = <T>(map: ReadonlyMap<string, T>): Record<string, T> =>
  Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)));

/** A lock file, its keys in order, so that a change is a small one. */
export function lockText({ bundles, releases }: Lock): string {
  const lock = {
    apiVersion: API_VERSION,
    kind: 'Lock',
    bundles: sorted(bundles),
    releases: sorted(releases),
  };
  return `${JSON.stringify(lock, null, 2)}\n`;
}
