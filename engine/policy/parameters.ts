// SPDX-License-Identifier: Apache-2.0
import { compileSchema } from '../context/schema.ts';
import { EngineError, type Problem } from '../error.ts';
import type { Rule } from './rule.ts';

const isSchema = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Checks parameters against the rules' schemas. Parameters of no rule are errors, since a misspelt code would leave a rule unset.
 * @param takesFlags whether those of `--parameters` are among them, as they never are of what an environment asks for
 * @throws {EngineError} POLICY_PARAMETERS with one problem for each fault | POLICY_METADATA where a schema is none
 */
export function checkParameters(
  rules: readonly Rule[],
  parameters: Readonly<Record<string, unknown>>,
  takesFlags: boolean,
): void {
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
    hint: takesFlags
      ? 'give them with --parameters FILE: {"<rule>": {…}}'
      : 'set them in the Project, under parameters of the pack or of the policies that the rule is in: {"<rule>": {…}}',
  });
}

/** A schema that is none is a fault of the rule's author, whatever the parameters. */
function checkOf({ code, parameters }: Rule): ReturnType<typeof compileSchema> {
  const message = `metadata "custom.parameters" of rule ${JSON.stringify(code)} is not a JSON Schema`;
  const hint = 'write a schema of draft 2020-12 that is an object';
  if (!isSchema(parameters)) throw new EngineError('POLICY_METADATA', message, { hint });
  try {
    return compileSchema(parameters);
  } catch (cause) {
    const reason = cause instanceof Error ? `: ${cause.message}` : '';
    throw new EngineError('POLICY_METADATA', `${message}${reason}`, { hint, cause });
  }
}

function faultsOf(rule: Rule, value: unknown): readonly Problem[] {
  if (rule.parameters === undefined) return [];
  const check = checkOf(rule);
  if (value === undefined)
    return [{ message: `rule ${JSON.stringify(rule.code)} needs parameters and has none` }];
  return check(value).map(({ pointer, message }) => ({
    message: `${rule.code}: ${pointer || '/'}: ${message}`,
  }));
}

/** What was set by hand for rules, and where. */
export interface Settings {
  /** As messages name the place: `--parameters`, `environment "production": rules`. */
  readonly where: string;
  readonly codes: readonly string[];
  /** The rules that may be named there. */
  readonly policies: readonly { readonly rules: readonly Rule[] }[];
}

/**
 * Refuses settings of rules that are not there: a misspelt name would leave the rule as it is, in silence.
 * @throws {EngineError} POLICY_PARAMETERS with one problem for each name
 */
export function refuseUnknownRules(settings: readonly Settings[]): void {
  const problems = settings.flatMap(({ where, codes, policies }) => {
    const known = new Set(policies.flatMap((policy) => policy.rules.map((rule) => rule.code)));
    return codes
      .filter((code) => !known.has(code))
      .map((code): Problem => ({ message: `${where}: there is no loaded rule ${JSON.stringify(code)}` }));
  });
  if (problems.length === 0) return;
  throw new EngineError('POLICY_PARAMETERS', 'settings of rules that are not loaded', {
    problems,
    hint: 'check the spelling; parameters of an environment and its packs are set in the Project alone',
  });
}
