// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { EngineError } from '../error.ts';
import type { RegoModuleInfo, RegoSource, RegoToolchain } from '../toolchain/rego.ts';
import { entrypointOf, entrypointSource, stylesOf } from './entrypoint.ts';
import type { Namespaces } from './namespaces/index.ts';
import type { Entry } from './rule.ts';
import { entriesOf } from './style.ts';

/** A policy as compiled: a WASM module and the entries of its generated entrypoint. */
export interface CompiledPolicy {
  readonly wasm: Uint8Array;
  readonly entries: readonly Entry[];
  /** Paths `a/b/c` below data that rules define, in order: no document may have something there. */
  readonly paths: readonly string[];
  /** Every entrypoint of the module, those that were generated first; absent where no extras were asked for. */
  readonly entrypoints?: readonly string[];
  /** SHA-256 (hex) of the sources, names and texts. */
  readonly sources: string;
  /** The module with its meter, where it is kept: metering costs more than all else of a small run. */
  readonly metered?: Uint8Array;
}

/** What to compile: sources (without tests), the packages that Conftest rules are read from, and which rule codes to keep. */
export interface CompileRequest {
  readonly name: string;
  readonly sources: readonly RegoSource[];
  readonly namespaces: Namespaces;
  /** Keeps only these codes; every one of them must exist. Absent: all. */
  readonly codes?: readonly string[];
}

/** What `policy build` adds to a policy; the cache knows nothing of it. */
export interface CompileExtras {
  /** Paths such as `a/b/c` besides the generated entrypoint, and those of `entrypoint: true` in METADATA. */
  readonly entrypoints: readonly string[];
  /** OPA's level, 0 to 2. */
  readonly optimise: number;
}

/** SHA-256 (hex) over names and texts; lengths are part of it, so that no two sets of sources share bytes. */
export function digestSources(sources: readonly RegoSource[]): string {
  const hash = createHash('sha256');
  for (const { file, text, v0 } of sources)
    hash.update(`${file.length}:${file}${v0 === true ? 'v0,' : ''}${text.length}:`).update(text);
  return hash.digest('hex');
}

/**
 * Compiles sources and their generated entrypoint. With `extras` a policy may do without rules of ours where it has entrypoints of
 * its own.
 * @throws {EngineError} POLICY_COMPILE with OPA's problems | POLICY_METADATA | POLICY_EMPTY | POLICY_BUILTIN | POLICY_DEADLINE
 */
export async function compilePolicy(
  request: CompileRequest,
  toolchain: RegoToolchain,
  extras?: CompileExtras,
): Promise<CompiledPolicy> {
  const modules = await toolchain.parse(request.sources);
  const own =
    extras === undefined ? [] : [...new Set([...extras.entrypoints, ...entrypointsOf(modules)])].sort();
  const entries = chosen(request, entriesOf(modules, request.namespaces), own.length === 0);
  const sources = entries.length === 0 ? request.sources : [...request.sources, entrypointSource(entries)];
  const entrypoints = [...stylesOf(entries).map(entrypointOf), ...own];
  const { wasm } = await toolchain.build(sources, { entrypoints, optimise: extras?.optimise ?? 0 });
  const policy = { wasm, entries, paths: pathsOf(modules), sources: digestSources(request.sources) };
  return extras === undefined ? policy : { ...policy, entrypoints };
}

function pathsOf(modules: readonly RegoModuleInfo[]): readonly string[] {
  const paths = modules.flatMap((module) =>
    module.rules
      .filter(({ kind }) => kind !== 'function')
      .map(({ name }) => `${module.package.replaceAll('.', '/')}/${name}`),
  );
  return [...new Set(paths)].sort();
}

/** The paths of what METADATA calls an entrypoint, in order: `data.a["b-c"].d` is `a/b-c/d`. */
export function entrypointsOf(modules: readonly RegoModuleInfo[]): readonly string[] {
  const paths = modules
    .flatMap(({ annotations }) => annotations)
    .filter((annotation) => annotation.entrypoint === true)
    .map(({ path }) => entrypointPath(path));
  return [...new Set(paths)].sort();
}

const entrypointPath = (reference: string): string =>
  reference
    .replace(/\["((?:[^"\\])*)"\]/g, '.$1')
    .split('.')
    .slice(1)
    .join('/');

function chosen(request: CompileRequest, offered: readonly Entry[], needsRule: boolean): readonly Entry[] {
  const { codes } = request;
  const entries = codes === undefined ? offered : offered.filter((entry) => codes.includes(entry.rule.code));
  const known = new Set(entries.map((entry) => entry.rule.code));
  const missing = codes?.find((code) => !known.has(code));
  if (missing !== undefined) {
    throw new EngineError('POLICY_EMPTY', `${request.name}: there is no rule ${JSON.stringify(missing)}`);
  }
  if (entries.some((entry) => entry.effect !== 'exception')) return entries;
  if (needsRule) throw noRule(request);
  return [];
}

function noRule(request: CompileRequest): EngineError {
  const { names, all } = request.namespaces;
  const where = all ? 'in any package' : `in package ${names.map((name) => JSON.stringify(name)).join(', ')}`;
  return new EngineError(
    'POLICY_EMPTY',
    `${JSON.stringify(request.name)} has no rule: no deny, violation or warn ${where}`,
    {
      hint: 'name the package with --policy-namespace, take all with --all-policy-namespaces, or write native rules below countersign.rules',
    },
  );
}
