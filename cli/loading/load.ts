// SPDX-License-Identifier: Apache-2.0
import {
  type CompileRequest,
  checkParameters,
  compileCached,
  loadPolicy,
  type Policy,
} from '../../engine/policy/index.ts';
import type { BuiltinServer } from '../../engine/rego/index.ts';
import type { RegoToolchain } from '../../engine/toolchain/rego.ts';
import type { YamlReader } from '../../engine/toolchain/yaml.ts';
import type { Installation } from '../installation.ts';
import type { Request } from '../prepare.ts';

/** What loading needs of the installation; the toolchain opens with the first compile. */
export interface Tools {
  readonly installation: Installation;
  readonly reader: YamlReader;
  readonly open: () => RegoToolchain;
  readonly builtins: BuiltinServer;
}

type Compiled = Awaited<ReturnType<typeof compileCached>>;

/** Compiles, or takes from the request's cache where it has one. */
export const compile = (wanted: CompileRequest, request: Request, tools: Tools): Promise<Compiled> =>
  compileCached(wanted, tools.open, request.cache);

/** What a policy is loaded with. */
export interface LoadFacts {
  readonly name: string;
  readonly revision: string;
  /** From flags, which several policies share, and from the Project. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Those that the Project states for this policy: each must be of one of its rules. */
  readonly stated: Readonly<Record<string, unknown>>;
  readonly data: Readonly<Record<string, unknown>>;
  /** Whether flags set its parameters. */
  readonly takesFlags: boolean;
}

/** Loads a compiled policy with those parameters that its rules take. @throws {EngineError} POLICY_PARAMETERS */
export async function load(
  compiled: Compiled,
  facts: LoadFacts,
  request: Request,
  { builtins }: Tools,
): Promise<Policy> {
  const { name, revision, stated, data, takesFlags } = facts;
  const own = new Set(compiled.entries.map(({ rule }) => rule.code));
  const parameters = Object.fromEntries(
    Object.entries(facts.parameters).filter(([code]) => own.has(code) || Object.hasOwn(stated, code)),
  );
  const limits = request.project?.limits ?? {};
  const policy = loadPolicy(compiled, { name, revision, parameters, data, limits, builtins });
  checkParameters(policy.rules, parameters, takesFlags);
  return policy;
}
