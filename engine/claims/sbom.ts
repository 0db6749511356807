// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../manifest/document.ts';
import { known, listAt, textAt, timeAt } from './member.ts';

/** What SPDX writes where it says nothing. */
const NOTHING: ReadonlySet<string> = new Set(['NOASSERTION', 'NONE']);

/** SPDX 2 as JSON. @see https://spdx.github.io/spdx-spec/v2.3/ */
export function spdx(predicate: unknown): JsonObject {
  return known({
    kind: 'sbom',
    format: 'spdx',
    version: textAt(predicate, 'spdxVersion')?.slice('SPDX-'.length),
    name: textAt(predicate, 'name'),
    createdAt: timeAt(predicate, 'creationInfo', 'created'),
    packages: listAt(predicate, 'packages').map(spdxPackage),
  });
}

function spdxPackage(item: unknown): JsonObject {
  const licenses = ['licenseConcluded', 'licenseDeclared'].flatMap((name) => {
    const license = textAt(item, name);
    return license === undefined || NOTHING.has(license) ? [] : [license];
  });
  const purl = listAt(item, 'externalRefs').find(
    (reference) => textAt(reference, 'referenceType') === 'purl',
  );
  return known({
    name: textAt(item, 'name'),
    version: textAt(item, 'versionInfo'),
    purl: textAt(purl, 'referenceLocator'),
    licenses: [...new Set(licenses)],
  });
}

/** CycloneDX as JSON; components inside components are packages as well. @see https://cyclonedx.org/docs/1.6/json/ */
export function cyclonedx(predicate: unknown): JsonObject {
  return known({
    kind: 'sbom',
    format: 'cyclonedx',
    version: textAt(predicate, 'specVersion'),
    name: textAt(predicate, 'metadata', 'component', 'name'),
    createdAt: timeAt(predicate, 'metadata', 'timestamp'),
    packages: listAt(predicate, 'components').flatMap(components),
  });
}

// As deep as its JSON may nest, which was bounded when it was read.
const components = (item: unknown): readonly JsonObject[] => [
  known({
    name: textAt(item, 'name'),
    version: textAt(item, 'version'),
    purl: textAt(item, 'purl'),
    licenses: listAt(item, 'licenses').flatMap(licenseOf),
  }),
  ...listAt(item, 'components').flatMap(components),
];

const licenseOf = (item: unknown): readonly string[] => {
  const license =
    textAt(item, 'expression') ?? textAt(item, 'license', 'id') ?? textAt(item, 'license', 'name');
  return license === undefined ? [] : [license];
};
