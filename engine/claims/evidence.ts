// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../manifest/document.ts';
import { known, listAt, resourceAt, resourcesAt, textAt, textsAt } from './member.ts';

/** in-toto's test result v0.1. @see https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md */
export function testResult(predicate: unknown): JsonObject {
  return known({
    kind: 'test-result',
    result: textAt(predicate, 'result')?.toLowerCase(),
    url: textAt(predicate, 'url'),
    passed: listAt(predicate, 'passedTests').length,
    warned: listAt(predicate, 'warnedTests').length,
    failed: listAt(predicate, 'failedTests').length,
    failedTests: textsAt(predicate, 'failedTests'),
    configuration: resourcesAt(predicate, 'configuration'),
  });
}

/** in-toto's release. @see https://github.com/in-toto/attestation/blob/main/spec/predicates/release.md */
export function release(predicate: unknown): JsonObject {
  return known({
    kind: 'release',
    purl: textAt(predicate, 'purl'),
    package: textAt(predicate, 'packageId'),
    release: textAt(predicate, 'releaseId'),
  });
}

/** SCAI v0.3: attributes of an artefact, with their evidence. @see https://github.com/in-toto/attestation/blob/main/spec/predicates/scai.md */
export function scai(predicate: unknown): JsonObject {
  return known({
    kind: 'attributes',
    attributes: listAt(predicate, 'attributes').map((item) =>
      known({
        attribute: textAt(item, 'attribute'),
        target: resourceAt(item, 'target'),
        evidence: resourceAt(item, 'evidence'),
      }),
    ),
    producer: resourceAt(predicate, 'producer'),
  });
}
