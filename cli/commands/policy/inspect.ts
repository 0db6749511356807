// SPDX-License-Identifier: Apache-2.0
import { entrypointsOf } from '../../../engine/policy/index.ts';
import type { RegoModuleInfo } from '../../../engine/toolchain/rego.ts';
import type { Args, Verb } from '../../args.ts';
import { BUNDLE_FLAGS, REGISTRY_FLAGS } from '../../bundles/flags.ts';
import type { ExitCode } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { VERSION_FLAGS } from '../../loading/version.ts';
import { withProgress } from '../../report/progress.ts';
import { visible } from '../../report/text.ts';
import { formatOf, pathsOf, readOwn, type Workbench, withWorkbench } from './workbench.ts';

export const policyInspect: Verb = {
  name: 'policy inspect',
  summary:
    'Lists packages, rules with their titles, imports, builtins and entrypoints of Rego files and bundles.',
  positionals: 'PATH…',
  details: '',
  flags: {
    format: { short: 'f', value: 'text|json', help: 'how to print the result' },
    ...VERSION_FLAGS,
    ...BUNDLE_FLAGS,
    ...REGISTRY_FLAGS,
  },
  run: (args, io) => withProgress(io, 'looking', () => withWorkbench((bench) => inspect(args, io, bench))),
};

async function inspect(args: Args, io: Io, bench: Workbench): Promise<ExitCode> {
  const format = formatOf(args, ['text', 'json']);
  const { sources } = await readOwn(pathsOf(args), { args, io, bench });
  const modules = await bench.toolchain.parse(sources);
  const entrypoints = entrypointsOf(modules);
  io.out(
    format === 'json'
      ? `${JSON.stringify({ entrypoints, modules }, null, 2)}\n`
      : [...modules.flatMap(moduleLines), ...entrypoints.map((path) => `entrypoint ${path}`), ''].join('\n'),
  );
  return 0;
}

function moduleLines(module: RegoModuleInfo): readonly string[] {
  const builtins = [...new Set(module.builtins.map(({ name }) => name))].sort();
  return [
    `${visible(module.file)}: package ${visible(module.package)}${titleOf(module)}`,
    ...module.rules.map(
      ({ name, kind, line }) => `  ${line}: ${visible(name)} (${kind})${titleOf(module, name)}`,
    ),
    ...module.imports.map((path) => `  import ${visible(path)}`),
    ...(builtins.length === 0 ? [] : [`  builtins: ${builtins.join(', ')}`]),
  ];
}

function titleOf(module: RegoModuleInfo, rule?: string): string {
  const path = `data.${module.package}${rule === undefined ? '' : `.${rule}`}`;
  const found = module.annotations.find(
    (annotation) => annotation.path === path && annotation.title !== undefined,
  );
  return found?.title === undefined ? '' : `: ${visible(found.title)}`;
}
