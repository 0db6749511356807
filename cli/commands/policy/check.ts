// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../../../engine/index.ts';
import { entriesOf, entrypointsOf, refuseUnmatched } from '../../../engine/policy/index.ts';
import { readSchemas } from '../../../engine/toolchain/schemas.ts';
import type { Args, Verb } from '../../args.ts';
import { BUNDLE_FLAGS, REGISTRY_FLAGS } from '../../bundles/flags.ts';
import type { ExitCode } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { NAMESPACE_FLAGS, namespacesOf } from '../../loading/namespaces.ts';
import { VERSION_FLAGS } from '../../loading/version.ts';
import { watched } from './watch.ts';
import { pathsOf, readPolicies, type Workbench, withWorkbench } from './workbench.ts';

export const policyCheck: Verb = {
  name: 'policy check',
  summary: 'Checks policies strictly: syntax, types, unused variables and imports, metadata of native rules.',
  positionals: 'PATH…',
  details:
    'With --schema FILE the types of `input` come from a JSON Schema; with --schema DIR METADATA refers to the files in it\n' +
    '(schemas: [input: schema.pod] is DIR/pod.json).',
  flags: {
    schema: { short: 's', value: 'FILE|DIR', help: 'JSON Schemas of input and data' },
    watch: { help: 'check again whenever a file changes' },
    ...NAMESPACE_FLAGS,
    ...VERSION_FLAGS,
    ...BUNDLE_FLAGS,
    ...REGISTRY_FLAGS,
  },
  run: (args, io) =>
    withWorkbench((bench) =>
      watched(args, io, { paths: [...pathsOf(args), ...args.list('schema')], doing: 'checking' }, () =>
        check(args, io, bench),
      ),
    ),
};

async function check(args: Args, io: Io, bench: Workbench): Promise<ExitCode> {
  const { toolchain } = bench;
  const { sources } = await readPolicies(pathsOf(args), { args, io, bench });
  const schema = args.text('schema');
  await toolchain.check(sources, { strict: true, schemas: schema === undefined ? [] : readSchemas(schema) });
  const modules = await toolchain.parse(sources);
  const namespaces = namespacesOf(args);
  const entries = entriesOf(modules, namespaces);
  refuseUnmatched(
    namespaces,
    entries.map(({ rule }) => rule),
  );
  const rules = new Set(entries.map((entry) => entry.rule.code));
  const entrypoints = entrypointsOf(modules);
  if (rules.size === 0 && entrypoints.length === 0)
    throw new EngineError('POLICY_EMPTY', 'there is no rule in these files', {
      hint: 'see docs/policies.md for what a rule looks like; METADATA "entrypoint: true" names what else is asked for',
    });
  const also = entrypoints.length === 0 ? '' : `, ${entrypoints.length} entrypoints`;
  io.out(`ok: ${sources.length} files, ${rules.size} rules${also}\n`);
  return 0;
}
