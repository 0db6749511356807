// SPDX-License-Identifier: Apache-2.0
import type { Environment } from '../../engine/context/project.ts';
import {
  inVersion,
  type Namespaces,
  type Policy,
  type RegoVersion,
  readLibraries,
  readPack,
  readPackSources,
  readRegoSources,
  refuseUnmatched,
  unreadPackages,
  withoutTests,
} from '../../engine/policy/index.ts';
import type { Request } from '../prepare.ts';
import { compile, load, type Tools } from './load.ts';
import { ownData } from './maps.ts';

/** One folder or file of policies beside the packs. */
export interface Extra {
  readonly path: string;
  readonly namespaces: Namespaces;
  /** Of files that do not state their own. */
  readonly regoVersion?: RegoVersion;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Files of data of its own. */
  readonly data: readonly string[];
  /** Whether flags set its parameters and data: never for what an environment asks for. */
  readonly takesFlags: boolean;
}

/** A pack that an environment lists. */
export type PackChoice = NonNullable<Environment['packs']>[number];

/**
 * Loads the packs as one policy. Without an environment a rule that needs parameters and has none is left out, and that is said;
 * an environment that lists a pack must set what its rules need.
 */
export async function loadPacks(
  choices: readonly PackChoice[],
  request: Request,
  tools: Tools,
  notes: string[],
): Promise<Policy> {
  const packs = choices.map((choice) => readPack(tools.installation.policies, choice.name, tools.reader));
  const sources = readPackSources(tools.installation.policies, packs);
  const name = packs.map((pack) => pack.name).join('+');
  const codes = [...new Set(packs.flatMap((pack) => pack.rules))].sort();
  const stated: Record<string, unknown> = Object.assign(
    {},
    ...choices.map((choice) => choice.parameters ?? {}),
  );
  // The judged job's flags set nothing of what its environment asks for.
  const takesFlags = request.environment === undefined;
  const parameters = takesFlags ? { ...request.parameters, ...stated } : stated;
  const data = takesFlags ? request.data : {};
  const compiled = await compile(
    { name, sources, namespaces: { names: [], all: false }, codes },
    request,
    tools,
  );
  const unset = compiled.entries
    .filter(({ rule }) => rule.parameters !== undefined && parameters[rule.code] === undefined)
    .map(({ rule }) => rule.code);
  const revision = tools.installation.version;
  if (unset.length === 0 || !takesFlags)
    return load(compiled, { name, revision, parameters, stated, data, takesFlags }, request, tools);
  for (const code of new Set(unset))
    notes.push(
      `rule ${code} needs parameters and is not evaluated: set them with --parameters or in a Project`,
    );
  const kept = await compile(
    {
      name,
      sources,
      namespaces: { names: [], all: false },
      codes: codes.filter((code) => !unset.includes(code)),
    },
    request,
    tools,
  );
  return load(kept, { name, revision, parameters, stated, data, takesFlags }, request, tools);
}

/** Loads one folder or file of Rego. */
export async function loadExtra(
  extra: Extra,
  request: Request,
  tools: Tools,
  notes: string[],
): Promise<Policy> {
  const own = inVersion(withoutTests(readRegoSources(extra.path)), extra.regoVersion);
  const needsLibraries = own.some((source) => source.text.includes('data.countersign.lib.'));
  const sources = needsLibraries ? [...own, ...readLibraries(tools.installation.policies, own)] : own;
  const compiled = await compile({ name: extra.path, sources, namespaces: extra.namespaces }, request, tools);
  if (extra.namespaces !== request.namespaces)
    refuseUnmatched(
      extra.namespaces,
      compiled.entries.map(({ rule }) => rule),
    );
  for (const name of unreadPackages(own, compiled.entries))
    notes.push(
      `rules of package ${JSON.stringify(name)} in ${JSON.stringify(extra.path)} are not read: name it with --policy-namespace`,
    );
  const [flags, given] = extra.takesFlags ? [request.parameters, request.data] : [{}, {}];
  const data = ownData(extra.data, given, tools.reader);
  const stated = extra.parameters;
  const parameters = { ...flags, ...stated };
  const { path: name, takesFlags } = extra;
  return load(compiled, { name, revision: '', parameters, stated, data, takesFlags }, request, tools);
}
