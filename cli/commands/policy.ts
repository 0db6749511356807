// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../engine/index.ts';
import {
  compilePolicy,
  DEFAULT_NAMESPACES,
  entriesOf,
  type Namespaces,
  readLibraries,
  withoutTests,
} from '../../engine/policy/index.ts';
import {
  openRegoToolchain,
  type RegoSource,
  type RegoTestReport,
  type RegoToolchain,
} from '../../engine/toolchain/rego.ts';
import { openYamlReader, type YamlReader } from '../../engine/toolchain/yaml.ts';
import type { Args, Flag, Verb } from '../args.ts';
import { BUNDLE_FLAGS, type BundleSettings, bundleSettings, REGISTRY_FLAGS } from '../bundles/flags.ts';
import { readPolicies } from '../bundles/sources.ts';
import { type ExitCode, UsageError } from '../exit.ts';
import { readSource } from '../files.ts';
import { findInstallation, type Installation } from '../installation.ts';
import type { Io } from '../io.ts';
import { findProject } from '../prepare.ts';
import { visible } from '../report/text.ts';
import { mergeMaps } from './check.ts';

const TEST_DEADLINE_MS = 120_000;

const NAMESPACE_FLAGS: Readonly<Record<string, Flag>> = {
  'policy-namespace': {
    value: 'NAME',
    multiple: true,
    help: 'package that Conftest rules are read from (default main)',
  },
  'all-policy-namespaces': { help: 'read Conftest rules from every package' },
};

export const policyBuild: Verb = {
  name: 'policy build',
  summary: 'Compiles policies to one WebAssembly module with one entrypoint.',
  positionals: 'PATH…',
  details:
    'Writes policy.wasm and policy.json (rules, entrypoints, digests) into the output folder; with --bundle an OPA bundle instead.',
  flags: {
    output: {
      value: 'PATH',
      short: 'o',
      help: 'where to write (default policy-build, or bundle.tar.gz with --bundle)',
    },
    bundle: { short: 'b', help: 'write an OPA bundle: Rego without tests, data.json, manifest' },
    revision: { value: 'TEXT', help: 'with --bundle: its revision' },
    root: {
      value: 'PATH',
      multiple: true,
      help: 'with --bundle: the part of data it owns, such as main (default: those of its inputs, or all)',
    },
    'signing-key': { value: 'FILE', help: 'with --bundle: private key (PEM) or secret that signs its files' },
    ...NAMESPACE_FLAGS,
    ...BUNDLE_FLAGS,
    ...REGISTRY_FLAGS,
  },
  run: (args, io) => withToolchain(args, io, (tools) => build(args, io, tools)),
};

export const policyCheck: Verb = {
  name: 'policy check',
  summary: 'Checks policies strictly: syntax, types, unused variables and imports, metadata of native rules.',
  positionals: 'PATH…',
  details: '',
  flags: { ...NAMESPACE_FLAGS, ...BUNDLE_FLAGS, ...REGISTRY_FLAGS },
  run: (args, io) => withToolchain(args, io, (tools) => checkPolicies(args, io, tools)),
};

export const policyTest: Verb = {
  name: 'policy test',
  summary: 'Runs the tests of policies (rules named test_…) and prints what they cover.',
  positionals: 'PATH…',
  details: 'Exit code: 0 all passed, 1 a test failed, 4 no test ran or one could not.',
  flags: {
    data: { value: 'FILE', multiple: true, help: 'JSON or YAML whose keys become the document under data' },
    format: { value: 'text|json', help: 'how to print the result' },
    ...BUNDLE_FLAGS,
    ...REGISTRY_FLAGS,
  },
  run: (args, io) => withToolchain(args, io, (tools) => testPolicies(args, io, tools)),
};

interface Tools {
  readonly installation: Installation;
  readonly toolchain: RegoToolchain;
  readonly sources: readonly RegoSource[];
  /** Of --data and of bundles. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly yaml: () => YamlReader;
  readonly settings: () => BundleSettings;
}

async function withToolchain(
  args: Args,
  io: Io,
  run: (tools: Tools) => Promise<ExitCode>,
): Promise<ExitCode> {
  if (args.positionals.length === 0)
    throw new UsageError('no path is given', 'name a folder, file or bundle of Rego policies');
  const installation = findInstallation();
  let reader: YamlReader | undefined;
  const yaml = (): YamlReader => {
    reader ??= openYamlReader(installation.toolchain);
    return reader;
  };
  const files = args.list('data');
  const given = files.length === 0 ? {} : mergeMaps(files.map(readSource), yaml(), 'data');
  // The Project of this folder says whose releases are believed, whatever verb asks.
  const settings = (): BundleSettings => bundleSettings(args, io, findProject(undefined, yaml()));
  const isBundle = args.has('bundle');
  const read = isBundle
    ? { sources: [], data: given }
    : await readPolicies(args.positionals, settings, {
        yaml,
        given,
        isVerified: args.has('verification-key'),
      });
  const toolchain = openRegoToolchain({ directory: installation.toolchain, deadlineMs: TEST_DEADLINE_MS });
  try {
    return await run({
      installation,
      toolchain,
      settings,
      ...read,
      sources: withLibraries(read.sources, installation),
      yaml,
    });
  } finally {
    await toolchain.close();
  }
}

/** Native rules may import the shipped libraries; a folder that brings them itself (our own) keeps its own. */
function withLibraries(sources: readonly RegoSource[], installation: Installation): readonly RegoSource[] {
  const brings = sources.some((source) => /^package countersign\.lib\./m.test(source.text));
  const needs = sources.some((source) => source.text.includes('data.countersign.lib.'));
  return needs && !brings ? [...sources, ...readLibraries(installation.policies)] : sources;
}

function namespacesOf(args: Args): Namespaces {
  const names = args.list('policy-namespace');
  return {
    names: names.length === 0 ? DEFAULT_NAMESPACES.names : names,
    all: args.has('all-policy-namespaces'),
  };
}

async function build(args: Args, io: Io, tools: Tools): Promise<ExitCode> {
  const { toolchain, sources, installation } = tools;
  if (args.has('bundle')) {
    const { buildBundle } = await import('./policy_bundle.ts');
    return buildBundle(args, io, { ...tools, policies: installation.policies });
  }
  const name = args.positionals.join(' ');
  const compiled = await compilePolicy(
    { name, sources: withoutTests(sources), namespaces: namespacesOf(args) },
    toolchain,
  );
  const output = args.text('output') ?? 'policy-build';
  const manifest = {
    apiVersion: 'countersign.dev/v1alpha1',
    kind: 'CompiledPolicy',
    opa: installation.opa,
    module: {
      file: 'policy.wasm',
      digest: { sha256: createHash('sha256').update(compiled.wasm).digest('hex') },
    },
    sources: { digest: { sha256: compiled.sources } },
    rules: compiled.entries,
  };
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
  io.out(
    `${join(output, 'policy.wasm')}: ${compiled.wasm.length} bytes, sha256:${manifest.module.digest.sha256}\n`,
  );
  return 0;
}

async function checkPolicies(args: Args, io: Io, { toolchain, sources }: Tools): Promise<ExitCode> {
  await toolchain.check(sources, { strict: true });
  const entries = entriesOf(await toolchain.parse(sources), namespacesOf(args));
  const rules = new Set(entries.map((entry) => entry.rule.code));
  if (rules.size === 0)
    throw new EngineError('POLICY_EMPTY', 'there is no rule in these files', {
      hint: 'see docs/policies.md for what a rule looks like',
    });
  io.out(`ok: ${sources.length} files, ${rules.size} rules\n`);
  return 0;
}

async function testPolicies(args: Args, io: Io, { toolchain, sources, data }: Tools): Promise<ExitCode> {
  const format = args.text('format') ?? 'text';
  if (format !== 'text' && format !== 'json')
    throw new UsageError(`unknown format ${JSON.stringify(format)}`, 'formats are text, json');
  const report = await toolchain.test(sources, { data });
  if (report.tests.length === 0)
    throw new EngineError('POLICY_EMPTY', 'there is no test in these files', {
      hint: 'a test is a rule named test_… in a file …_test.rego',
    });
  io.out(format === 'json' ? `${JSON.stringify(report, null, 2)}\n` : testText(report));
  if (report.tests.some((test) => test.error !== undefined)) return 4;
  return report.tests.some((test) => test.fail) ? 1 : 0;
}

function testText(report: RegoTestReport): string {
  const failed = report.tests.filter((test) => test.fail || test.error !== undefined);
  const lines = failed.map(
    (test) =>
      `${test.file}:${test.line}:1: ${test.package}.${test.name} ${test.error === undefined ? 'failed' : `could not run: ${visible(test.error)}`}${test.output === '' ? '' : `\n${visible(test.output)}`}`,
  );
  const skipped = report.tests.filter((test) => test.skip).length;
  const passed = report.tests.length - failed.length - skipped;
  return `${[...lines, `${passed} passed, ${failed.length} failed${skipped === 0 ? '' : `, ${skipped} skipped`}; ${report.percent.toFixed(1)} % of lines covered`].join('\n')}\n`;
}
