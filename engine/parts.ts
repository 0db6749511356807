// SPDX-License-Identifier: Apache-2.0
// A judge in parts: plain values, from which another thread opens the same judge.
import type { Judge } from './change.ts';
import type { Project } from './context/project.ts';
import { EngineError } from './error.ts';
import { loadWasmPolicy } from './policy/bundle/wasm.ts';
import { loadPolicy, type Policy, type PolicyParts } from './policy/policy.ts';
import type { BuiltinServer } from './rego/index.ts';
import { type Bench, openJudge, openProjectJudge } from './review.ts';

/** A bench whose policies are in parts. */
export type BenchParts = Omit<Bench, 'policies'> & { readonly policies: readonly PolicyParts[] };

/** The judge of one environment, or of a whole Project with a bench for each of its environments. */
export type JudgeParts =
  | { readonly bench: BenchParts }
  | { readonly project: Project; readonly benches: ReadonlyMap<string, BenchParts> };

export function partsOf(bench: Bench): BenchParts {
  return { ...bench, policies: bench.policies.map(({ parts }) => parts) };
}

/**
 * Loads every policy and opens the judge.
 * @throws {EngineError} POLICY_BUILTIN | POLICY_MODULE | POLICY_DATA
 */
export function openParts(parts: JudgeParts, builtins: BuiltinServer): Judge {
  const open = (bench: BenchParts): Bench => ({
    ...bench,
    policies: bench.policies.map((policy) => load(policy, builtins)),
  });
  if ('bench' in parts) return openJudge(open(parts.bench));
  const benches = new Map([...parts.benches].map(([name, bench]) => [name, open(bench)] as const));
  return openProjectJudge(parts.project, benches);
}

function load(parts: PolicyParts, builtins: BuiltinServer): Policy {
  if (parts.kind === 'compiled') return loadPolicy(parts.compiled, { ...parts.facts, builtins });
  const policy = loadWasmPolicy(parts.file, { ...parts.facts, builtins });
  if (policy !== undefined) return policy;
  throw new EngineError('POLICY_EMPTY', `${JSON.stringify(parts.facts.name)} has no rule`);
}
