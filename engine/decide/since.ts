// SPDX-License-Identifier: Apache-2.0
import { type Decision, decide } from './decision.ts';
import { type Finding, objectId } from './finding.ts';
import { inheritedOf } from './inherited.ts';

/**
 * The Decision with the fails that were there before as inherited warnings: those of the same rule, object and path. Without a path the
 * message counts too, since a rule of Conftest's style says all that it says under one name. Errors are never inherited.
 * @param before findings about the same sources as they were
 */
export function sinceThen(decision: Decision, before: readonly Finding[]): Decision {
  const known = new Set(before.filter(({ result }) => result === 'fail').map(keyOf));
  const findings = decision.findings.map((finding) =>
    finding.result === 'fail' && known.has(keyOf(finding)) ? inheritedOf(finding) : finding,
  );
  return decide({ ...decision, findings });
}

const keyOf = ({ rule, object, path, message }: Finding): string =>
  JSON.stringify([rule, objectId(object), path ?? null, path === undefined ? message : null]);
