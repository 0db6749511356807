// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { EngineError } from '../error.ts';
import type { RegoSource, RegoToolchain } from '../toolchain/rego.ts';
import { entrypointOf, entrypointSource, stylesOf } from './entrypoint.ts';
import type { Entry } from './rule.ts';
import { entriesOf, type Namespaces } from './style.ts';

/** A policy as compiled: a WASM module and the entries of its generated entrypoint. */
export interface CompiledPolicy {
  readonly wasm: Uint8Array;
  readonly entries: readonly Entry[];
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

/** SHA-256 (hex) over names and texts; lengths are part of it, so that no two sets of sources share bytes. */
export function digestSources(sources: readonly RegoSource[]): string {
  const hash = createHash('sha256');
  for (const { file, text } of sources) hash.update(`${file.length}:${file}${text.length}:`).update(text);
  return hash.digest('hex');
}

/**
 * Compiles sources and their generated entrypoint.
 * @throws {EngineError} POLICY_COMPILE with OPA's problems | POLICY_METADATA | POLICY_EMPTY | POLICY_BUILTIN | POLICY_DEADLINE
 */
export async function compilePolicy(
  request: CompileRequest,
  toolchain: RegoToolchain,
): Promise<CompiledPolicy> {
  const modules = await toolchain.parse(request.sources);
  const entries = chosen(request, entriesOf(modules, request.namespaces));
  const entrypoint = entrypointSource(entries);
  const entrypoints = stylesOf(entries).map(entrypointOf);
  const { wasm } = await toolchain.build([...request.sources, entrypoint], { entrypoints });
  return { wasm, entries, sources: digestSources(request.sources) };
}

function chosen(request: CompileRequest, offered: readonly Entry[]): readonly Entry[] {
  const { codes } = request;
  const entries = codes === undefined ? offered : offered.filter((entry) => codes.includes(entry.rule.code));
  const known = new Set(entries.map((entry) => entry.rule.code));
  const missing = codes?.find((code) => !known.has(code));
  if (missing !== undefined) {
    throw new EngineError('POLICY_EMPTY', `${request.name}: there is no rule ${JSON.stringify(missing)}`);
  }
  if (!entries.some((entry) => entry.effect !== 'exception')) throw noRule(request);
  return entries;
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
