// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import type { PolicyReference } from '../decide/decision.ts';
import { EngineError } from '../error.ts';
import { loadRego, type RegoLimits, type RegoProgram, type RegoValue } from '../rego/index.ts';
import type { CompiledPolicy } from './compile.ts';
import { entrypointOf, stylesOf } from './entrypoint.ts';
import type { Entry, Rule, Style } from './rule.ts';

/** Compiled rules with their data, ready to evaluate. */
export interface Policy {
  readonly reference: PolicyReference;
  readonly styles: readonly Style[];
  readonly rules: readonly Rule[];
  evaluate(style: Style, input: Uint8Array): readonly RawResult[];
}

/** What one entry said of one input; entries without a result are left out. */
export interface RawResult {
  readonly entry: Entry;
  readonly value: RegoValue;
}

/** What is loaded beside the module. */
export interface PolicyFacts {
  readonly name: string;
  readonly revision: string;
  /** Rule code to parameters, checked before. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The document under `data`. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly limits?: Partial<RegoLimits>;
}

/**
 * Loads a compiled policy. Its digest covers the module and the data that it evaluates with.
 * @throws {EngineError} POLICY_BUILTIN | POLICY_MODULE
 */
export function loadPolicy(compiled: CompiledPolicy, facts: PolicyFacts): Policy {
  const data = Buffer.from(JSON.stringify({ ...facts.data, countersign: { parameters: facts.parameters } }));
  const program = loadRego(compiled.wasm, {
    data,
    ...(compiled.metered === undefined ? {} : { metered: compiled.metered }),
    ...(facts.limits === undefined ? {} : { limits: facts.limits }),
  });
  const entries = new Map(compiled.entries.map((entry) => [entry.key, entry]));
  const rules = new Map(
    compiled.entries.filter((entry) => entry.effect !== 'exception').map(({ rule }) => [rule.code, rule]),
  );
  const digest = hash('sha256', `${program.digest}\n${hash('sha256', data, 'hex')}\n`, 'hex');
  return {
    reference: { name: facts.name, revision: facts.revision, digest, sources: compiled.sources },
    styles: stylesOf(compiled.entries),
    rules: [...rules.values()],
    evaluate: (style, input) => evaluate(program, entries, style, input),
  };
}

function evaluate(
  program: RegoProgram,
  entries: ReadonlyMap<string, Entry>,
  style: Style,
  input: Uint8Array,
): readonly RawResult[] {
  const { value } = program.evaluate(entrypointOf(style), input);
  // The entrypoint is a partial object, so it is always defined; anything else is no answer.
  if (value === undefined || value === null || typeof value !== 'object' || Array.isArray(value))
    throw malformed();
  return Object.entries(value).map(([key, result]) => {
    const entry = entries.get(key);
    if (entry === undefined) throw malformed();
    return { entry, value: result };
  });
}

const malformed = (): EngineError =>
  new EngineError('POLICY_RESULT', 'the policy did not return the results of its rules');
