// SPDX-License-Identifier: Apache-2.0
import { AttestError } from '../error.ts';
import { parseStrict } from '../json.ts';

/** What is attested. Only its digest identifies it; the name is for people. */
export interface AttestedSubject {
  readonly name?: string;
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string;
}

/** The largest predicate, in bytes: readers take no bundle of more than 16 MiB, and base64 makes a third more of it. */
const MAX_PREDICATE_BYTES = 10 * 1024 * 1024;

/** By the names that cosign has for them, where the predicate is what stands in the file. */
const SHORT_TYPES: Readonly<Record<string, string>> = {
  slsaprovenance: 'https://slsa.dev/provenance/v0.2',
  slsaprovenance02: 'https://slsa.dev/provenance/v0.2',
  slsaprovenance1: 'https://slsa.dev/provenance/v1',
  spdx: 'https://spdx.dev/Document',
  spdxjson: 'https://spdx.dev/Document',
  cyclonedx: 'https://cyclonedx.org/bom',
  vuln: 'https://cosign.sigstore.dev/attestation/vuln/v1',
  link: 'https://in-toto.io/Link/v1',
  openvex: 'https://openvex.dev/ns',
};

/**
 * Makes the bytes of an in-toto Statement v1. The predicate stands in it as it was written, to the last digit of a number.
 * @param type a URI, or one of cosign's short names
 * @throws {AttestError} PREDICATE_SHAPE  the type is neither, or the predicate is no JSON object, has a key twice, or is too large
 * @see https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
 */
export function makeStatement(subject: AttestedSubject, type: string, predicate: Uint8Array): Buffer {
  const predicateType = typeOf(type);
  const { name, digest } = subject;
  const head = JSON.stringify({
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ ...(name === undefined ? {} : { name }), digest: { sha256: digest.replace('sha256:', '') } }],
    predicateType,
  });
  return Buffer.from(`${head.slice(0, -1)},"predicate":${objectText(predicate)}}`);
}

function typeOf(type: string): string {
  const known = Object.hasOwn(SHORT_TYPES, type) ? SHORT_TYPES[type] : undefined;
  // As verifiers compare it letter by letter, it is taken letter by letter.
  if (known === undefined && !(/^[a-z][a-z0-9+.-]*:[\x21-\x7e]+$/i.test(type) && URL.canParse(type)))
    throw new AttestError('PREDICATE_SHAPE', `${JSON.stringify(type)} is no type of a predicate`, {
      hint: `a URI such as https://slsa.dev/provenance/v1, or one of ${Object.keys(SHORT_TYPES).join(', ')}`,
    });
  return known ?? type;
}

function objectText(predicate: Uint8Array): string {
  if (predicate.length > MAX_PREDICATE_BYTES)
    throw new AttestError('PREDICATE_SHAPE', `the predicate has ${predicate.length} bytes`, {
      hint: `at most ${MAX_PREDICATE_BYTES} are read by those who verify`,
    });
  const parsed = parseStrict(predicate);
  if (parsed === undefined || !isObject(parsed.value) || !isText(parsed.value))
    throw new AttestError('PREDICATE_SHAPE', 'the predicate is no JSON object that all readers read alike', {
      hint: 'one object in UTF-8, no key twice in it, no half of a character, at most 64 levels deep',
    });
  return Buffer.from(predicate).toString('utf8').trim();
}

const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether every text in it is one: of half a character Go makes another one. */
function isText(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  const parts: [string, unknown][] = Object.entries(value);
  return parts.every(([key, part]) => key.isWellFormed() && isText(part));
}
