// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../../engine/index.ts';
import {
  type CompiledPolicy,
  compilePolicy,
  refuseUnmatched,
  withoutTests,
} from '../../../engine/policy/index.ts';
import { type Args, excluding, needing, type Verb } from '../../args.ts';
import { BUNDLE_FLAGS, REGISTRY_FLAGS, SIGNATURE_FLAGS } from '../../bundles/flags.ts';
import { type ExitCode, UsageError } from '../../exit.ts';
import { writeWhole } from '../../files.ts';
import type { Installation } from '../../installation.ts';
import type { Io } from '../../io.ts';
import { refuseIdleBundleFlags } from '../../loading/idle.ts';
import { NAMESPACE_FLAGS, namespacesOf } from '../../loading/namespaces.ts';
import { VERSION_FLAGS } from '../../loading/version.ts';
import { withProgress } from '../../report/progress.ts';
import { buildBundle } from '../policy_bundle.ts';
import {
  type Asked,
  numberOf,
  pathsOf,
  readPolicies,
  settingsOf,
  type Workbench,
  withWorkbench,
} from './workbench.ts';

export const policyBuild: Verb = {
  name: 'policy build',
  summary: 'Compiles policies to one WebAssembly module with one entrypoint.',
  positionals: 'PATH…',
  details:
    'Writes policy.wasm and policy.json (rules, entrypoints, digests) into the output folder; with --bundle an OPA bundle instead.\n' +
    'What METADATA calls "entrypoint: true" becomes an entrypoint too. The same sources always give the same bytes.',
  flags: {
    output: {
      short: 'o',
      value: 'PATH',
      help: 'where to write (default policy-build, or bundle.tar.gz with --bundle)',
    },
    bundle: { short: 'b', help: 'write an OPA bundle: Rego without tests, data.json, manifest' },
    revision: { value: 'TEXT', needs: ['bundle'], help: 'with --bundle: its revision' },
    root: {
      value: 'PATH',
      needs: ['bundle'],
      multiple: true,
      help: 'with --bundle: the part of data it owns, such as main (default: those of its inputs, or all)',
    },
    'signing-key': {
      value: 'FILE',
      needs: ['bundle'],
      help: 'with --bundle: private key (PEM) or secret that signs its files',
    },
    entrypoint: {
      short: 'e',
      value: 'PATH',
      multiple: true,
      help: 'one more entrypoint, such as authz/allow',
    },
    optimize: { short: 'O', value: '0|1|2', help: "OPA's level of optimisation (default 0)" },
    ...excluding('bundle', NAMESPACE_FLAGS),
    ...VERSION_FLAGS,
    ...BUNDLE_FLAGS,
    ...needing(['verification-key', 'signing-key'], SIGNATURE_FLAGS),
    ...REGISTRY_FLAGS,
  },
  run: (args, io) => withProgress(io, 'compiling', () => withWorkbench((bench) => build(args, io, bench))),
};

async function build(args: Args, io: Io, bench: Workbench): Promise<ExitCode> {
  const paths = pathsOf(args);
  if (args.has('bundle')) return buildAsBundle({ args, io, bench });
  const { toolchain, installation } = bench;
  const optimise = numberOf(args, 'optimize', { min: 0, max: 2, whole: true }) ?? 0;
  const { sources } = await readPolicies(paths, { args, io, bench });
  const namespaces = namespacesOf(args);
  const compiled = await compilePolicy(
    { name: paths.join(' '), sources: withoutTests(sources), namespaces },
    toolchain,
    { entrypoints: args.list('entrypoint'), optimise },
  );
  refuseUnmatched(
    namespaces,
    compiled.entries.map(({ rule }) => rule),
  );
  const output = args.text('output') ?? 'policy-build';
  const digest = createHash('sha256').update(compiled.wasm).digest('hex');
  write(output, compiled, manifestOf(compiled, digest, installation));
  io.out(`${join(output, 'policy.wasm')}: ${compiled.wasm.length} bytes, sha256:${digest}\n`);
  return 0;
}

/** A bundle is made of sources as they are: what would compile them is refused. */
async function buildAsBundle(asked: Asked): Promise<ExitCode> {
  const { args, io, bench } = asked;
  const other = ['entrypoint', 'optimize'].find((name) => args.has(name));
  if (other !== undefined)
    throw new UsageError(`--bundle and --${other} exclude each other`, 'give one of them');
  refuseIdleBundleFlags(args, args.positionals, { settings: () => settingsOf(asked), speaks: false });
  const { toolchain, yaml, installation } = bench;
  return buildBundle(args, io, {
    toolchain,
    yaml,
    settings: () => settingsOf(asked),
    policies: installation.policies,
  });
}

function manifestOf(compiled: CompiledPolicy, digest: string, installation: Installation): object {
  return {
    apiVersion: 'countersign.dev/v1alpha1',
    kind: 'CompiledPolicy',
    opa: installation.opa,
    module: { file: 'policy.wasm', digest: { sha256: digest } },
    sources: { digest: { sha256: compiled.sources } },
    entrypoints: compiled.entrypoints,
    rules: compiled.entries,
  };
}

function write(output: string, compiled: CompiledPolicy, manifest: object): void {
  try {
    mkdirSync(output, { recursive: true });
    writeWhole(join(output, 'policy.wasm'), compiled.wasm);
    writeWhole(join(output, 'policy.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  } catch (cause) {
    throw new EngineError('POLICY_UNREADABLE', `cannot write to ${JSON.stringify(output)}`, {
      cause,
      hint: 'choose another folder with --output',
    });
  }
}
