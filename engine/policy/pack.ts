// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../error.ts';
import { readDocuments } from '../manifest/index.ts';
import type { RegoSource } from '../toolchain/rego.ts';
import type { YamlReader } from '../toolchain/yaml.ts';
import { readRegoSources, withoutTests } from './sources.ts';

/** A named set of rules, as shipped in `policies/packs/<name>.yaml`. */
export interface Pack {
  readonly name: string;
  readonly rules: readonly string[];
}

const PACK_NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

const isPack = (value: unknown, name: string): value is { rules: string[] } =>
  typeof value === 'object' &&
  value !== null &&
  'kind' in value &&
  value.kind === 'Pack' &&
  'name' in value &&
  value.name === name &&
  'rules' in value &&
  Array.isArray(value.rules) &&
  value.rules.length > 0 &&
  value.rules.every((rule) => typeof rule === 'string');

/**
 * Reads a pack of the policies folder. The name is checked before it becomes part of a path (`../` names no pack).
 * @throws {EngineError} POLICY_UNREADABLE | POLICY_EMPTY
 */
export function readPack(policiesDirectory: string, name: string, reader: YamlReader): Pack {
  const file = join(policiesDirectory, 'packs', `${name}.yaml`);
  let bytes: Uint8Array;
  try {
    if (!PACK_NAME.test(name)) throw new Error('not a pack name');
    bytes = readFileSync(file);
  } catch (cause) {
    throw new EngineError('POLICY_UNREADABLE', `there is no pack ${JSON.stringify(name)}`, {
      cause,
      hint: 'the shipped pack is "baseline"',
    });
  }
  const value = readDocuments([{ name: file, bytes }], reader)[0]?.value;
  if (!isPack(value, name))
    throw new EngineError('POLICY_EMPTY', `pack ${JSON.stringify(name)} names no rules`);
  return { name, rules: value.rules };
}

/**
 * The sources of the libraries that ship with the product, which native rules may import: those that `sources` name, and what those
 * name themselves. One that no rule asks for is not compiled along.
 */
export function readLibraries(
  policiesDirectory: string,
  sources: readonly RegoSource[],
): readonly RegoSource[] {
  const libraries = withoutTests(readRegoSources(join(policiesDirectory, 'lib')));
  const wanted = new Set<RegoSource>();
  for (let asking = sources; asking.length > 0; ) {
    const named = new Set(asking.flatMap(({ text }) => [...text.matchAll(LIBRARY)].map(([name]) => name)));
    asking = libraries.filter((library) => !wanted.has(library) && named.has(packageOf(library)));
    for (const library of asking) wanted.add(library);
  }
  return libraries.filter((library) => wanted.has(library));
}

const LIBRARY = /\bdata\.countersign\.lib\.\w+/g;
const packageOf = ({ text }: RegoSource): string => `data.${/^package\s+([\w.]+)/m.exec(text)?.[1] ?? ''}`;

/** The sources of the given shipped rules and of the libraries; file names are relative to the policies folder. */
export function readPackSources(policiesDirectory: string, packs: readonly Pack[]): readonly RegoSource[] {
  const rules = [...new Set(packs.flatMap((pack) => pack.rules))].sort();
  const folders = rules.map((code) => join(policiesDirectory, 'rules', ...code.split('.')));
  const sources = folders.flatMap((folder) => withoutTests(readRegoSources(folder)));
  return [...sources, ...readLibraries(policiesDirectory, sources)].map(({ file, text }) => ({
    file: file.startsWith(policiesDirectory) ? `policies${file.slice(policiesDirectory.length)}` : file,
    text,
  }));
}
