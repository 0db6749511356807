// SPDX-License-Identifier: Apache-2.0
import { parseStrict } from '../../attest/json.ts';
import { compileSchema } from '../context/schema.ts';
import type { JsonObject } from '../manifest/document.ts';
import { release, scai, testResult } from './evidence.ts';
import { Malformed } from './malformed.ts';
import { at } from './member.ts';
import schema from './predicates.schema.json' with { type: 'json' };
import { provenanceV1, provenanceV02 } from './provenance.ts';
import { cyclonedx, spdx } from './sbom.ts';
import { simpleResult, summaryV1 } from './verification.ts';
import { formOf, scanRecord, scanReport } from './vulnerabilities.ts';

type Reader = (predicate: unknown) => JsonObject | undefined;

type Shape = Exclude<keyof typeof schema.$defs, 'text' | 'texts' | 'id' | 'time' | 'digests'>;

const validators = new Map<Shape, ReturnType<typeof compileSchema>>();

/** @throws {Malformed} with the first three faults */
function check(shape: Shape, value: unknown): void {
  const validate = validators.get(shape) ?? compileSchema({ $ref: `#/$defs/${shape}`, $defs: schema.$defs });
  validators.set(shape, validate);
  const faults = validate(value).slice(0, 3);
  if (faults.length > 0)
    throw new Malformed(faults.map(({ pointer, message }) => `${pointer || '/'} ${message}`).join('; '));
}

const shaped =
  (shape: Shape, read: Reader): Reader =>
  (predicate) => {
    check(shape, predicate);
    return read(predicate);
  };

/** Early versions of cosign put SBOMs below `Data`. */
const unwrapped =
  (read: Reader): Reader =>
  (predicate) => {
    const data = at(predicate, 'Data');
    return read(typeof data === 'object' && data !== null ? data : predicate);
  };

/** A scan with its frame; a bare report of Trivy or Grype is taken too, since both are attested that way. */
function vulnerabilities(predicate: unknown): JsonObject {
  const bare = at(predicate, 'scanner') === undefined ? formOf(predicate) : undefined;
  if (bare !== undefined) return report(predicate, bare);
  check('vulnerabilities', predicate);
  const result = at(predicate, 'scanner', 'result');
  const form = formOf(result);
  if (form !== undefined) check(form, result);
  return scanRecord(predicate);
}

function report(value: unknown, form: Exclude<ReturnType<typeof formOf>, undefined>): JsonObject {
  check(form, value);
  return scanReport(value);
}

/** cosign's `custom` type: any text. A scanner's report in it is read, all else is passed on as it is. */
function generic(predicate: unknown): JsonObject | undefined {
  check('generic', predicate);
  const data = parseStrict(Buffer.from(String(at(predicate, 'Data'))))?.value;
  const form = Array.isArray(data) ? undefined : formOf(data);
  return form === undefined ? undefined : report(data, form);
}

const own = (name: string, shape: Shape = 'own'): readonly [string, Reader] => [
  `https://countersign.dev/attestation/${name}/v1`,
  shaped(shape, () => ({ kind: name })),
];

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['https://slsa.dev/provenance/v0.2', shaped('provenance-v0.2', provenanceV02)],
  ['https://slsa.dev/provenance/v1', shaped('provenance-v1', provenanceV1)],
  ['https://slsa.dev/verification_summary/v1', shaped('vsa-v1', summaryV1)],
  ['https://in-toto.io/attestation/svr/v0.1', shaped('svr', simpleResult)],
  ['https://in-toto.io/attestation/svr/v0.2', shaped('svr', simpleResult)],
  ...['', '/v2.2', '/v2.3'].map(
    (version) => [`https://spdx.dev/Document${version}`, unwrapped(shaped('spdx', spdx))] as const,
  ),
  ...['', '/v1.4', '/v1.5', '/v1.6', '/v1.7'].map(
    (version) => [`https://cyclonedx.org/bom${version}`, unwrapped(shaped('cyclonedx', cyclonedx))] as const,
  ),
  ['https://cosign.sigstore.dev/attestation/vuln/v1', vulnerabilities],
  ['https://in-toto.io/attestation/vulns/v0.1', vulnerabilities],
  ['https://in-toto.io/attestation/vulns/v0.2', vulnerabilities],
  ['https://cosign.sigstore.dev/attestation/v1', generic],
  ['https://in-toto.io/attestation/test-result/v0.1', shaped('test-result', testResult)],
  ['https://in-toto.io/attestation/release/v0.1', shaped('release', release)],
  ['https://in-toto.io/attestation/release/v0.2', shaped('release', release)],
  ['https://in-toto.io/attestation/scai/v0.3', shaped('scai', scai)],
  ['https://sigstore.dev/cosign/sign/v1', shaped('own', () => ({ kind: 'signature' }))],
  own('deployment-decision', 'decision'),
  ...['approval', 'waiver', 'revocation', 'break-glass', 'release-lock', 'applied'].map((name) => own(name)),
]);

/** The predicate types that are known, in order. */
export const PREDICATE_TYPES: readonly string[] = [...READERS.keys()].sort();

/**
 * The normalised form of a predicate of a known type; undefined for one of another type, which is passed on as it is.
 * @throws {Malformed} for one of a known type that is not what the type says
 */
export function normalize(predicateType: string, predicate: unknown): JsonObject | undefined {
  return READERS.get(predicateType)?.(predicate);
}
