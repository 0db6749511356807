// SPDX-License-Identifier: Apache-2.0
// The controls of a framework and the rules that give evidence for each, as `policies/controls/<name>.yaml` states them.
import { join } from 'node:path';
import { EngineError } from '../../../../engine/index.ts';
import { readDocuments } from '../../../../engine/manifest/index.ts';
import type { YamlReader } from '../../../../engine/toolchain/yaml.ts';
import { readSource } from '../../../files.ts';
import type { Recorded } from '../recorded.ts';
import { indexOf, isMeant } from './population.ts';

/** One clause of a framework. */
interface Control {
  readonly id: string;
  readonly title: string;
  /** Codes of rules, `*` standing for any characters. */
  readonly rules: readonly string[];
}

/** A framework, read. */
export interface Framework {
  readonly name: string;
  readonly controls: readonly Control[];
}

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

/**
 * Reads a framework that is shipped, by its name, or one of the user's own, by its file.
 * @throws {EngineError} INPUT_UNREADABLE | POLICY_METADATA
 */
export function readFramework(asked: string, policies: string, reader: YamlReader): Framework {
  const file = NAME.test(asked) ? join(policies, 'controls', `${asked}.yaml`) : asked;
  const value: unknown = readDocuments([readSource(file)], reader)[0]?.value;
  if (isFramework(value)) return value;
  throw new EngineError('POLICY_METADATA', `${JSON.stringify(file)} is no list of controls`, {
    hint: 'kind: Controls, name, and controls: [{id, title, rules: [code…]}]; policies/controls/soc2.yaml is one',
  });
}

const member = (value: unknown, key: string): unknown => Reflect.get(Object(value), key);

function isFramework(value: unknown): value is Framework {
  const controls = member(value, 'controls');
  return (
    member(value, 'kind') === 'Controls' &&
    typeof member(value, 'name') === 'string' &&
    Array.isArray(controls) &&
    controls.length > 0 &&
    controls.every(isControl)
  );
}

function isControl(value: unknown): value is Control {
  const rules = member(value, 'rules');
  return (
    typeof member(value, 'id') === 'string' &&
    typeof member(value, 'title') === 'string' &&
    Array.isArray(rules) &&
    rules.length > 0 &&
    rules.every((rule) => typeof rule === 'string')
  );
}

/** What the records say for one control. Decisions are named by their ids, in the order of the ledger. */
export interface ControlEvidence {
  readonly id: string;
  readonly title: string;
  readonly rules: readonly {
    readonly rule: string;
    /** The rule was evaluated and found nothing. */
    readonly held: readonly string[];
    /** It found something: the decision says what came of it. */
    readonly found: readonly string[];
  }[];
}

/** One decision as the index lists it. */
export const listed = (record: Recorded): object => {
  const { id, time, phase, verdict, basis, scope, policies, requester } = record.decision;
  return {
    ...{ id, time, phase, verdict, basis, entry: indexOf(record), record: `records/${id}/record.json` },
    ...(scope.environment === undefined ? {} : { environment: scope.environment }),
    ...(requester === undefined ? {} : { requester }),
    policies: policies.map(({ name, digest }) => ({ name, digest: digest.sha256 })),
  };
};

/** From controls to rules to decisions; a control without any evidence stays in the list, with none. */
export function evidenceFor(framework: Framework, records: readonly Recorded[]): readonly ControlEvidence[] {
  const byRule = new Map<string, { held: string[]; found: string[] }>();
  for (const { decision } of records) {
    const { id, passed, findings, omittedFindings = [] } = decision;
    const found = new Set([...findings, ...omittedFindings].map(({ rule }) => rule));
    for (const rule of new Set([...Object.keys(passed), ...found])) {
      const one = byRule.get(rule) ?? { held: [], found: [] };
      byRule.set(rule, one);
      if (found.has(rule)) one.found.push(id);
      else if ((passed[rule] ?? 0) > 0) one.held.push(id);
    }
  }
  const rules = [...byRule].sort(([a], [b]) => (a < b ? -1 : 1));
  return framework.controls.map(({ id, title, rules: patterns }) => ({
    id,
    title,
    rules: rules
      .filter(([rule]) => patterns.some((pattern) => isMeant(pattern, rule)))
      .map(([rule, said]) => ({ rule, ...said })),
  }));
}
