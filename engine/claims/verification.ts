// SPDX-License-Identifier: Apache-2.0
import type { JsonObject, JsonValue } from '../manifest/document.ts';
import { at, known, resourceAt, resourcesAt, textAt, textsAt, timeAt } from './member.ts';

/** SLSA's verification summary. One that failed states no levels. @see https://slsa.dev/spec/v1.0/verification_summary */
export function summaryV1(predicate: unknown): JsonObject {
  const passed = textAt(predicate, 'verificationResult') === 'PASSED';
  const policy = resourceAt(predicate, 'policy');
  return known({
    ...verified(predicate, passed ? textsAt(predicate, 'verifiedLevels') : []),
    passed,
    resourceUri: textAt(predicate, 'resourceUri'),
    verifiedAt: timeAt(predicate, 'timeVerified'),
    policies: policy === undefined ? [] : [policy],
    dependencyLevels: passed ? dependencyLevels(predicate) : undefined,
  });
}

/** The simple verification result: properties that held, and nothing else. @see https://github.com/in-toto/attestation */
export function simpleResult(predicate: unknown): JsonObject {
  return known({
    ...verified(predicate, textsAt(predicate, 'properties')),
    passed: true,
    verifiedAt: timeAt(predicate, 'timeCreated'),
    policies: resourcesAt(predicate, 'verifier', 'policies'),
  });
}

function verified(
  predicate: unknown,
  levels: readonly string[],
): Readonly<Record<string, JsonValue | undefined>> {
  return {
    kind: 'verification',
    verifier: textAt(predicate, 'verifier', 'id'),
    levels,
    buildLevel: highest(levels, /^SLSA_BUILD_LEVEL_([0-9])$/),
    sourceLevel: highest(levels, /^SLSA_SOURCE_LEVEL_([0-9])$/),
  };
}

/** The highest of a track's levels; absent where none is stated, as in `SLSA_BUILD_LEVEL_UNEVALUATED`. */
function highest(levels: readonly string[], track: RegExp): number | undefined {
  const numbers = levels.flatMap((level) => track.exec(level)?.[1] ?? []).map(Number);
  return numbers.length === 0 ? undefined : Math.max(...numbers);
}

function dependencyLevels(predicate: unknown): JsonObject | undefined {
  const found = at(predicate, 'dependencyLevels');
  if (typeof found !== 'object' || found === null) return undefined;
  const counts: [string, unknown][] = Object.entries(found);
  return Object.fromEntries(
    counts.flatMap(([level, count]) => (typeof count === 'number' ? [[level, count] as const] : [])),
  );
}
