// SPDX-License-Identifier: Apache-2.0
import { type Trust, verifyEnvelope } from '../../../attest/index.ts';
import { EngineError } from '../../error.ts';

/** The type of the statement that a bundle is a release. */
export const RELEASE_TYPE = 'https://countersign.dev/attestation/policy-bundle/v1';

/** A bundle as its author released it. */
export interface Release {
  /** What the bundle is called; versions of one name follow each other. */
  readonly name: string;
  /** From 1; a higher one is newer. */
  readonly version: number;
  /** RFC 3339 in UTC; from then on the bundle is not used. */
  readonly expires: string;
  /** The parts of `data` that the bundle owns, in order. */
  readonly roots: readonly string[];
  /** `sha256:…` over the bytes of the `.tar.gz`. */
  readonly digest: string;
}

const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,126}[A-Za-z0-9])?$/;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?Z$/;

/**
 * Checks what a release says of itself.
 * @throws {RangeError} naming the part that is wrong
 */
export function checkRelease({ name, version, expires, digest }: Release): void {
  if (!NAME.test(name)) throw new RangeError(`the name ${JSON.stringify(name)} is none`);
  if (!Number.isSafeInteger(version) || version < 1) throw new RangeError('the version is no integer from 1');
  const time = TIME.test(expires) ? Date.parse(expires) : Number.NaN;
  if (!Number.isFinite(time) || new Date(time).toISOString().slice(0, 19) !== expires.slice(0, 19))
    throw new RangeError(`the end ${JSON.stringify(expires)} is no time such as 2027-01-01T00:00:00Z`);
  if (!/^sha256:[0-9a-f]{64}$/.test(digest)) throw new RangeError('the digest is none');
}

/** The statement of a release, as bytes to be signed. @throws {RangeError} */
export function releaseStatement(release: Release): Uint8Array {
  checkRelease(release);
  const { name, version, expires, roots, digest } = release;
  return Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name, digest: { sha256: digest.slice('sha256:'.length) } }],
      predicateType: RELEASE_TYPE,
      predicate: { version, expires, roots: [...roots].sort() },
    }),
  );
}

/** What is asked of a release. */
export interface ReleaseQuestion {
  /** The path or address of the bundle, for messages. */
  readonly bundle: string;
  /** Of the bytes that were read. */
  readonly digest: string;
  readonly trust: Trust;
  readonly environment?: string;
  readonly at: Date;
}

/**
 * Verifies the envelope that came with a bundle: signed by a key that is trusted for `policy`, about exactly these bytes.
 * @throws {EngineError} BUNDLE_SIGNATURE
 */
export function verifyRelease(envelope: Uint8Array | undefined, question: ReleaseQuestion): Release {
  const fail = (why: string): never => {
    throw new EngineError(
      'BUNDLE_SIGNATURE',
      `bundle ${JSON.stringify(question.bundle)} is refused: ${why}`,
      {
        hint: 'where a key is trusted for policy, every bundle must be a release signed by such a key',
      },
    );
  };
  if (envelope === undefined) return fail('it comes without the signature of its release');
  const { trust, environment, at } = question;
  const verdict = verifyEnvelope(envelope, trust, {
    use: 'policy',
    predicateType: RELEASE_TYPE,
    at,
    ...(environment === undefined ? {} : { environment }),
  });
  if (!verdict.ok) return fail(`its release does not hold: ${verdict.reason}`);
  const [subject, second] = verdict.value.subjects;
  const sha256 = subject?.digest['sha256'];
  if (second !== undefined || `sha256:${sha256 ?? ''}` !== question.digest)
    return fail('its release is about another bundle');
  return (
    releaseOf(verdict.value.statement, subject?.name ?? '', question.digest) ??
    fail('its release is malformed')
  );
}

function releaseOf(statement: Uint8Array, name: string, digest: string): Release | undefined {
  // Parsed once before, strictly; this reads what the envelope's verifier leaves opaque.
  const parsed: unknown = JSON.parse(Buffer.from(statement).toString('utf8'));
  const predicate: unknown = Reflect.get(Object(parsed), 'predicate');
  const [version, expires, roots]: unknown[] = ['version', 'expires', 'roots'].map((key): unknown =>
    Reflect.get(Object(predicate), key),
  );
  const isExact = Object.keys(Object(predicate)).length === 3;
  if (!isExact || typeof version !== 'number' || typeof expires !== 'string' || !Array.isArray(roots))
    return undefined;
  if (!roots.every((root) => typeof root === 'string')) return undefined;
  const release = { name, version, expires, roots, digest };
  try {
    checkRelease(release);
    return release;
  } catch {
    return undefined;
  }
}
