// SPDX-License-Identifier: Apache-2.0
import { compileSchema } from '../context/schema.ts';
import { EngineError, type Problem } from '../error.ts';
import type { Rule } from './rule.ts';

const isSchema = (value: unknown): value is object => typeof value === 'object' && value !== null;

/**
 * Checks parameters against the rules' schemas. Parameters of no rule are errors, since a misspelt code would leave a rule unset.
 * @throws {EngineError} POLICY_PARAMETERS with one problem for each fault
 */
export function checkParameters(rules: readonly Rule[], parameters: Readonly<Record<string, unknown>>): void {
  const problems: Problem[] = [];
  const known = new Map(rules.map((rule) => [rule.code, rule]));
  for (const code of Object.keys(parameters)) {
    if (known.get(code)?.parameters === undefined)
      problems.push({ message: `no loaded rule ${JSON.stringify(code)} takes parameters` });
  }
  for (const rule of rules) problems.push(...faultsOf(rule, parameters[rule.code]));
  if (problems.length === 0) return;
  throw new EngineError('POLICY_PARAMETERS', 'parameters do not fit their rules', {
    problems,
    hint: 'set them in the Project under packs[].parameters, or with --parameters FILE: {"<rule>": {…}}',
  });
}

function faultsOf(rule: Rule, value: unknown): readonly Problem[] {
  if (!isSchema(rule.parameters)) return [];
  if (value === undefined)
    return [{ message: `rule ${JSON.stringify(rule.code)} needs parameters and has none` }];
  return compileSchema(rule.parameters)(value).map(({ pointer, message }) => ({
    message: `${rule.code}: ${pointer || '/'}: ${message}`,
  }));
}
