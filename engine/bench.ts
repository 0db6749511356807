// SPDX-License-Identifier: Apache-2.0

import type { BenchEnvironment } from './bounds.ts';
import type { Project } from './context/project.ts';
import type { Finding } from './decide/finding.ts';
import type { Enforcement } from './decide/findings.ts';
import { type Standing, strictestOf } from './people/standing.ts';
import type { Policy } from './policy/policy.ts';
import type { ObjectSchema } from './schema/index.ts';

/** What one environment asks for; `name` and `tier` are absent where there is no Project. */
export interface Bench {
  readonly policies: readonly Policy[];
  readonly enforcement: Readonly<Record<string, Enforcement>>;
  readonly environment?: BenchEnvironment;
  readonly projectDigest?: string;
  /** Of whom what people have signed was believed of; absent where nobody signs anything. */
  readonly trustDigest?: string;
  /** Kubernetes' schema; absent at admission, where the API server has decoded the object, and where it is switched off. */
  readonly schema?: ObjectSchema;
  /** In Conftest's style too, a builtin that fails is an error; in native rules it always is. */
  readonly strictErrors?: true;
  /** Whether what is evaluated is kept beside the records. */
  readonly keepsInputs?: true;
  /** What is judged was kept and holds no secret value any more: nothing is looked for in what is said of it. */
  readonly isMasked?: true;
  /** What people have signed for it. */
  readonly standing?: Standing;
}

const STRICTNESS = { audit: 0, warn: 1, deny: 2 } as const satisfies Record<Enforcement, number>;

/** The rules of several environments as one that has no name: each policy once, each rule as its strictest environment has it. */
export function unionOf(benches: readonly Bench[], projectDigest: string): Bench {
  const policies = new Map(
    benches.flatMap((bench) => bench.policies).map((policy) => [policy.reference.digest, policy] as const),
  );
  const enforcement: Record<string, Enforcement> = {};
  for (const code of new Set(benches.flatMap((bench) => Object.keys(bench.enforcement)))) {
    // An environment that does not speak of a rule, and has it, enforces it as the rule says.
    const said = benches
      .filter((bench) => hasRule(bench, code))
      .map((bench) => bench.enforcement[code] ?? 'deny');
    enforcement[code] = said.reduce((a, b) => (STRICTNESS[a] < STRICTNESS[b] ? b : a), 'audit');
  }
  const {
    environment: _none,
    standing: _own,
    trustDigest: _whom,
    ...common
  }: Bench = benches[0] ?? { policies: [], enforcement };
  const standing = strictestOf(benches.map((bench) => bench.standing));
  return { ...common, policies: [...policies.values()], enforcement, projectDigest, standing };
}

const hasRule = (bench: Bench, code: string): boolean =>
  bench.policies.some((policy) => policy.rules.some((rule) => rule.code === code));

const UNMAPPED_RESULTS = { deny: 'fail', warn: 'warn', allow: 'skip' } as const;

/** What the one built-in rule says where no environment does, so that the record says why. */
export function unmappedFinding(
  namespace: string | undefined,
  unmapped: Project['unmapped'],
): Omit<Finding, 'object'> {
  const isNamespaced = namespace !== undefined;
  return {
    rule: 'environment.unmapped',
    result: UNMAPPED_RESULTS[unmapped],
    message: isNamespaced
      ? `namespace ${JSON.stringify(namespace)} belongs to no environment`
      : 'cluster-scoped objects belong to no environment',
    severity: 'high',
    controls: [],
    remedy: isNamespaced
      ? 'add it to an environment of the Project'
      : 'give one environment of the Project clusterScoped: true',
  };
}
