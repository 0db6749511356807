// SPDX-License-Identifier: Apache-2.0
// Policies that decide in the place of recorded ones: those of flags alone, or the environments of a Project as `check` has them.
import type { BuiltinServer } from '../../../engine/rego/index.ts';
import type { Instead } from '../../../engine/replay/replay.ts';
import { openYamlReader } from '../../../engine/toolchain/yaml.ts';
import type { Args } from '../../args.ts';
import { bundleSettings } from '../../bundles/flags.ts';
import type { Installation } from '../../installation.ts';
import type { Io } from '../../io.ts';
import { policiesAsked } from '../../loading/asked.ts';
import { findProject } from '../../loading/project.ts';
import { prepare } from '../../prepare.ts';

/** What decides for an environment; undefined where nothing does. Compiled anew: a cache never decides what was signed. */
export async function openInstead(
  args: Args,
  io: Io,
  { installation, builtins }: { readonly installation: Installation; readonly builtins: BuiltinServer },
): Promise<(environment: string | undefined) => Instead | undefined> {
  const reader = openYamlReader(installation.toolchain);
  const file = args.text('instead');
  const found = file === undefined ? undefined : findProject(file, reader);
  const asked = { ...policiesAsked(args, reader), bundles: bundleSettings(args, io, found), builtins };
  if (found === undefined) {
    const { bench } = await prepare(asked, installation, reader);
    return () => ({ policies: bench.policies });
  }
  const { project } = found;
  const benches = new Map<string, Instead>();
  for (const environment of project.environments) {
    const { bench } = await prepare({ ...asked, project, environment }, installation, reader);
    benches.set(environment.name, { policies: bench.policies, enforcement: bench.enforcement });
  }
  return (environment) => (environment === undefined ? undefined : benches.get(environment));
}
