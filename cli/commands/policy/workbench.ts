// SPDX-License-Identifier: Apache-2.0
import { inVersion, readLibraries, readRegoSources } from '../../../engine/policy/index.ts';
import { openRegoToolchain, type RegoSource, type RegoToolchain } from '../../../engine/toolchain/rego.ts';
import { openYamlReader, type YamlReader } from '../../../engine/toolchain/yaml.ts';
import type { Args } from '../../args.ts';
import { type BundleSettings, bundleSettings } from '../../bundles/flags.ts';
import { type PolicySources, readPolicies as readReferences } from '../../bundles/sources.ts';
import { type ExitCode, UsageError } from '../../exit.ts';
import { readSource } from '../../files.ts';
import { findInstallation, type Installation } from '../../installation.ts';
import type { Io } from '../../io.ts';
import { refuseIdleBundleFlags } from '../../loading/idle.ts';
import { mergeMaps } from '../../loading/maps.ts';
import { findProject } from '../../loading/project.ts';
import { versionOf } from '../../loading/version.ts';

const DEADLINE_MS = 120_000;

/** What every verb of `policy` works with. */
export interface Workbench {
  readonly installation: Installation;
  readonly toolchain: RegoToolchain;
  /** Opened when it is asked for. */
  readonly yaml: () => YamlReader;
}

/** Opens the toolchain for `run` and closes it. */
export async function withWorkbench(run: (bench: Workbench) => Promise<ExitCode>): Promise<ExitCode> {
  const installation = findInstallation();
  let reader: YamlReader | undefined;
  const yaml = (): YamlReader => {
    reader ??= openYamlReader(installation.toolchain);
    return reader;
  };
  const toolchain = openRegoToolchain({ directory: installation.toolchain, deadlineMs: DEADLINE_MS });
  try {
    return await run({ installation, toolchain, yaml });
  } finally {
    await toolchain.close();
  }
}

/** The paths that a verb cannot do without. @throws {UsageError} */
export function pathsOf(args: Args): readonly string[] {
  if (args.positionals.length > 0) return args.positionals;
  throw new UsageError('no path is given', 'name a folder, file or bundle of Rego policies');
}

/**
 * The Rego files at these paths, each once, in the version of Rego that the flags name.
 * @throws {EngineError} POLICY_UNREADABLE | POLICY_EMPTY
 */
export function readFiles(paths: readonly string[], args: Args): readonly RegoSource[] {
  const files = paths.flatMap(readRegoSources).map((source) => [source.file, source] as const);
  return inVersion([...new Map(files).values()], versionOf(args));
}

/** Who asks for policies. */
export interface Asked {
  readonly args: Args;
  readonly io: Io;
  readonly bench: Workbench;
}

/** The Project of this folder says whose releases are believed, whatever verb asks. */
export const settingsOf = ({ args, io, bench }: Asked): BundleSettings =>
  bundleSettings(args, io, findProject(undefined, bench.yaml()));

/**
 * The Rego at these paths, bundles and registries among them, with the shipped libraries where native rules import them and the files
 * do not bring them; and the data of `--data` and of bundles.
 * @param files of `--data`
 * @throws {EngineError} POLICY_UNREADABLE | POLICY_EMPTY | POLICY_DATA and whatever a bundle is refused for
 */
export async function readPolicies(
  paths: readonly string[],
  asked: Asked,
  files: readonly string[] = [],
): Promise<PolicySources> {
  const { sources, data } = await readOwn(paths, asked, files);
  const brings = sources.some((source) => /^package countersign\.lib\./m.test(source.text));
  const needs = sources.some((source) => source.text.includes('data.countersign.lib.'));
  const libraries = needs && !brings ? readLibraries(asked.bench.installation.policies, sources) : [];
  return { sources: [...sources, ...libraries], data };
}

/** What stands at these paths and no more. @throws {EngineError} as readPolicies */
export async function readOwn(
  paths: readonly string[],
  asked: Asked,
  files: readonly string[] = [],
): Promise<PolicySources> {
  const { args, bench } = asked;
  const version = versionOf(args);
  refuseIdleBundleFlags(args, paths, { settings: () => settingsOf(asked), speaks: false });
  const { sources, data } = await readReferences(paths, () => settingsOf(asked), {
    yaml: bench.yaml,
    given: files.length === 0 ? {} : dataOf(files, bench),
    isVerified: args.has('verification-key'),
  });
  return { sources: inVersion(sources, version), data };
}

/** @throws {EngineError} POLICY_DATA for what is no map, and for a key that two files set */
export const dataOf = (files: readonly string[], { yaml }: Workbench): Record<string, unknown> =>
  mergeMaps(files.map(readSource), yaml(), 'data');

/** The format that was asked for. @throws {UsageError} */
export function formatOf<T extends string>(args: Args, formats: readonly [T, ...T[]]): T {
  const wanted = args.text('format') ?? formats[0];
  const found = formats.find((format) => format === wanted);
  if (found !== undefined) return found;
  throw new UsageError(`unknown format ${JSON.stringify(wanted)}`, `formats are ${formats.join(', ')}`);
}

/** A number of a flag, within bounds. @throws {UsageError} */
export function numberOf(
  args: Args,
  name: string,
  bounds: { readonly min: number; readonly max: number; readonly whole?: true },
): number | undefined {
  const text = args.text(name);
  if (text === undefined) return undefined;
  const value = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= bounds.min && value <= bounds.max && (bounds.whole !== true || Number.isInteger(value)))
    return value;
  throw new UsageError(
    `--${name} ${JSON.stringify(text)} is no ${bounds.whole === true ? 'whole ' : ''}number from ${bounds.min} to ${bounds.max}`,
    `write --${name} ${bounds.min}`,
  );
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A span such as `500ms`, `5s`, `2m`, in milliseconds. @throws {UsageError} */
export function spanMsOf(args: Args, name: string): number | undefined {
  const text = args.text(name);
  if (text === undefined) return undefined;
  const [, count, unit] = /^(\d{1,9})(ms|s|m|h)$/.exec(text) ?? [];
  const span = Number(count) * (UNITS_MS[unit ?? ''] ?? Number.NaN);
  if (span > 0) return span;
  throw new UsageError(
    `--${name} ${JSON.stringify(text)} is no span of time`,
    `write --${name} 5s (ms, s, m or h)`,
  );
}
