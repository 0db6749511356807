// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../../engine/index.ts';
import { type CompiledPolicy, compilePolicy, withoutTests } from '../../../engine/policy/index.ts';
import type { Args, Verb } from '../../args.ts';
import type { ExitCode } from '../../exit.ts';
import type { Installation } from '../../installation.ts';
import type { Io } from '../../io.ts';
import { withProgress } from '../../report/progress.ts';
import {
  NAMESPACE_FLAGS,
  namespacesOf,
  numberOf,
  pathsOf,
  readPolicies,
  VERSION_FLAGS,
  type Workbench,
  withWorkbench,
} from './workbench.ts';

export const policyBuild: Verb = {
  name: 'policy build',
  summary: 'Compiles policies to one WebAssembly module with one entrypoint.',
  positionals: 'PATH…',
  details:
    'Writes policy.wasm and policy.json (rules, entrypoints, digests) into the output folder. What METADATA calls\n' +
    '"entrypoint: true" becomes an entrypoint too. The same sources always give the same bytes.',
  flags: {
    output: { short: 'o', value: 'DIR', help: 'where to write (default policy-build)' },
    entrypoint: {
      short: 'e',
      value: 'PATH',
      multiple: true,
      help: 'one more entrypoint, such as authz/allow',
    },
    optimize: { short: 'O', value: '0|1|2', help: "OPA's level of optimisation (default 0)" },
    ...NAMESPACE_FLAGS,
    ...VERSION_FLAGS,
  },
  run: (args, io) => withProgress(io, 'compiling', () => withWorkbench((bench) => build(args, io, bench))),
};

async function build(args: Args, io: Io, { toolchain, installation }: Workbench): Promise<ExitCode> {
  const paths = pathsOf(args);
  const optimise = numberOf(args, 'optimize', { min: 0, max: 2, whole: true }) ?? 0;
  const sources = withoutTests(readPolicies(paths, args, installation));
  const compiled = await compilePolicy(
    { name: paths.join(' '), sources, namespaces: namespacesOf(args) },
    toolchain,
    { entrypoints: args.list('entrypoint'), optimise },
  );
  const output = args.text('output') ?? 'policy-build';
  const digest = createHash('sha256').update(compiled.wasm).digest('hex');
  write(output, compiled, manifestOf(compiled, digest, installation));
  io.out(`${join(output, 'policy.wasm')}: ${compiled.wasm.length} bytes, sha256:${digest}\n`);
  return 0;
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
    writeFileSync(join(output, 'policy.wasm'), compiled.wasm);
    writeFileSync(join(output, 'policy.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  } catch (cause) {
    throw new EngineError('POLICY_UNREADABLE', `cannot write to ${JSON.stringify(output)}`, {
      cause,
      hint: 'choose another folder with --output',
    });
  }
}
