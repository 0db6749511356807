// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../manifest/document.ts';
import { at, known, resourcesAt, textAt, timeAt } from './member.ts';
import { sourceJson, sourceOfDefinition, sourceOfInvocation } from './source.ts';

/** SLSA provenance v0.2. @see https://slsa.dev/spec/v0.2/provenance */
export function provenanceV02(predicate: unknown): JsonObject {
  const metadata = at(predicate, 'metadata');
  return known({
    kind: 'provenance',
    builder: textAt(predicate, 'builder', 'id'),
    buildType: textAt(predicate, 'buildType'),
    source: sourceJson(sourceOfInvocation(predicate)),
    invocation: textAt(metadata, 'buildInvocationID') ?? textAt(metadata, 'buildInvocationId'),
    startedAt: timeAt(metadata, 'buildStartedOn'),
    finishedAt: timeAt(metadata, 'buildFinishedOn'),
    materials: resourcesAt(predicate, 'materials'),
  });
}

/** SLSA provenance v1; `invocationID` is how BuildKit and GitLab's runner spell it. @see https://slsa.dev/spec/v1.0/provenance */
export function provenanceV1(predicate: unknown): JsonObject {
  const definition = at(predicate, 'buildDefinition');
  const details = at(predicate, 'runDetails');
  const metadata = at(details, 'metadata');
  return known({
    kind: 'provenance',
    builder: textAt(details, 'builder', 'id'),
    buildType: textAt(definition, 'buildType'),
    source: sourceJson(sourceOfDefinition(definition)),
    invocation: textAt(metadata, 'invocationId') ?? textAt(metadata, 'invocationID'),
    startedAt: timeAt(metadata, 'startedOn'),
    finishedAt: timeAt(metadata, 'finishedOn'),
    materials: resourcesAt(definition, 'resolvedDependencies'),
  });
}
