// SPDX-License-Identifier: Apache-2.0
// A judge in parts: plain values, from which another thread opens the same judge.
import type { Judge } from './change.ts';
import type { Project } from './context/project.ts';
import { EngineError } from './error.ts';
import { loadWasmPolicy } from './policy/bundle/wasm.ts';
import { loadPolicy, type Policy, type PolicyParts } from './policy/policy.ts';
import type { BuiltinServer } from './rego/index.ts';
import { type Bench, openJudge, openProjectJudge } from './review.ts';

/** A policy's parts with its data as JSON text: numbers that are kept as they were written are no values that a message can hold. */
export interface PackedPolicy {
  /** SHA-256 (hex) of the module and the data. */
  readonly digest: string;
  readonly parts: PolicyParts;
  readonly data: string;
}

/** A bench whose policies are in parts. */
export type BenchParts = Omit<Bench, 'policies'> & { readonly policies: readonly PackedPolicy[] };

/** The judge of one environment, or of a whole Project with a bench for each of its environments. */
export type JudgeParts =
  | { readonly bench: BenchParts }
  | { readonly project: Project; readonly benches: ReadonlyMap<string, BenchParts> };

export function partsOf(bench: Bench): BenchParts {
  return { ...bench, policies: bench.policies.map(packPolicy) };
}

/**
 * Loads every policy and opens the judge.
 * @throws {EngineError} POLICY_BUILTIN | POLICY_MODULE | POLICY_DATA
 */
export function openParts(parts: JudgeParts, builtins: BuiltinServer): Judge {
  if ('bench' in parts) return openJudge(openBench(parts.bench, builtins));
  const benches = new Map(
    [...parts.benches].map(([name, bench]) => [name, openBench(bench, builtins)] as const),
  );
  return openProjectJudge(parts.project, benches);
}

/**
 * Loads every policy of a bench.
 * @throws {EngineError} POLICY_BUILTIN | POLICY_MODULE | POLICY_DATA
 */
export function openBench(bench: BenchParts, builtins: BuiltinServer): Bench {
  return { ...bench, policies: bench.policies.map((policy) => openPolicy(policy, builtins)) };
}

export function packPolicy({ parts, reference: { digest } }: Policy): PackedPolicy {
  const data = JSON.stringify(parts.facts.data);
  return parts.kind === 'compiled'
    ? { digest, data, parts: { ...parts, facts: { ...parts.facts, data: {} } } }
    : { digest, data, parts: { ...parts, facts: { ...parts.facts, data: {} } } };
}

/** The text of each number is kept, so that the policy has the same bytes of data, and the same digest. */
const exact = (text: string): Record<string, unknown> =>
  JSON.parse(text, (_key: string, value: unknown, context?: { readonly source?: string }) =>
    typeof value === 'number' && context?.source !== undefined && context.source !== String(value)
      ? JSON.rawJSON(context.source)
      : value,
  );

/** @throws {EngineError} POLICY_BUILTIN | POLICY_MODULE | POLICY_DATA */
export function openPolicy({ parts, data: text }: PackedPolicy, builtins: BuiltinServer): Policy {
  const data = exact(text);
  if (parts.kind === 'compiled') return loadPolicy(parts.compiled, { ...parts.facts, data, builtins });
  const policy = loadWasmPolicy(parts.file, { ...parts.facts, data, builtins });
  if (policy !== undefined) return policy;
  throw new EngineError('POLICY_EMPTY', `${JSON.stringify(parts.facts.name)} has no rule`);
}
