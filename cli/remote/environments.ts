// SPDX-License-Identifier: Apache-2.0
// What a server checks sets by: its environments, whom it believes, and who asks.
import type { TokenIssuer } from '../../attest/tokens/index.ts';
import type { CustomKind, Environment, Project } from '../../engine/context/project.ts';
import { trustDigest } from '../../engine/context/trust.ts';
import type { JsonObject } from '../../engine/manifest/index.ts';
import type { BenchParts } from '../../engine/parts.ts';
import type { Asked } from '../../engine/people/index.ts';
import type { AskedClaims } from '../bundles/serving.ts';
import { askedBy } from '../commands/people/standing.ts';
import { issuerOf } from '../inputs/tokens.ts';

/** One environment, in parts that a thread is handed. */
interface Checked {
  readonly bench: BenchParts;
  readonly minor?: number;
  readonly attestations?: AskedClaims;
  readonly asksPeople: boolean;
  /** Of whom is believed what tokens and attestations prove. */
  readonly trustDigest: string;
}

/** What sets are checked by, as one load of the Project has it. */
export interface Checks {
  readonly parts: {
    readonly environments: ReadonlyMap<string, Checked>;
    readonly customKinds: readonly CustomKind[];
  };
  readonly rules: {
    readonly environments: ReadonlyMap<string, 'verified' | 'any'>;
    readonly issuers: readonly TokenIssuer[];
  };
  readonly whoAsks: (oidc: readonly JsonObject[]) => Asked['requester'];
}

/** @throws {AttestError} TOKEN_KEYS @throws {EngineError} INPUT_UNREADABLE where the keys of an issuer cannot be read */
export function checksOf(
  found: { readonly project: Project; readonly directory: string },
  benches: ReadonlyMap<string, BenchParts>,
  asked: ReadonlyMap<string, AskedClaims>,
): Checks {
  const { project } = found;
  const environments = project.environments.flatMap((environment) => {
    const bench = benches.get(environment.name);
    return bench === undefined
      ? []
      : [
          {
            environment,
            checked: checkedOf(environment, bench, { project, asked: asked.get(environment.name) }),
          },
        ];
  });
  return {
    parts: {
      environments: new Map(environments.map(({ environment, checked }) => [environment.name, checked])),
      customKinds: project.customKinds ?? [],
    },
    rules: {
      environments: new Map(
        environments.map(({ environment: { name, callers = 'verified' } }) => [name, callers]),
      ),
      issuers: (project.issuers ?? []).map(issuerOf),
    },
    whoAsks: (tokens) => askedBy(found, { authors: [], tokens }).requester,
  };
}

function checkedOf(
  { kubernetes, approvals }: Environment,
  bench: BenchParts,
  { project, asked }: { readonly project: Project; readonly asked: AskedClaims | undefined },
): Checked {
  return {
    bench,
    ...(kubernetes === undefined ? {} : { minor: Number(kubernetes.split('.')[1]) }),
    ...(asked === undefined ? {} : { attestations: asked }),
    trustDigest: asked?.trustDigest ?? trustDigest(project),
    asksPeople: approvals !== undefined,
  };
}
