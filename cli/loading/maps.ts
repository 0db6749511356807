// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../../engine/index.ts';
import { readDocuments, type Source } from '../../engine/manifest/index.ts';
import type { YamlReader } from '../../engine/toolchain/yaml.ts';
import { readSource, refuseHalves } from '../files.ts';

/** Merges the top-level keys of several files; the same key twice is an error, since which one counts would be a matter of order. */
export function mergeMaps(
  sources: readonly Source[],
  reader: YamlReader,
  what: 'data' | 'parameters',
): Record<string, unknown> {
  const merged = new Map<string, unknown>();
  for (const source of sources) {
    refuseHalves(source);
    const [document, second] = readDocuments([source], reader);
    const value = document?.value;
    if (second !== undefined || typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new EngineError('POLICY_DATA', `${JSON.stringify(source.name)} is not one map of ${what}`);
    }
    for (const [key, item] of Object.entries(value)) {
      if (merged.has(key))
        throw new EngineError(
          'POLICY_DATA',
          `${JSON.stringify(key)} is given in more than one file of ${what}`,
        );
      if (what === 'data' && key === 'countersign')
        throw new EngineError('POLICY_DATA', 'data may not set "countersign"');
      merged.set(key, item);
    }
  }
  return Object.fromEntries(merged);
}

/**
 * The data that a policy of the Project names for itself, beside what flags give it.
 * @throws {EngineError} POLICY_DATA also for a key that both set
 */
export function ownData(
  files: readonly string[],
  flags: Readonly<Record<string, unknown>>,
  reader: YamlReader,
): Readonly<Record<string, unknown>> {
  if (files.length === 0) return flags;
  const own = mergeMaps(files.map(readSource), reader, 'data');
  const twice = Object.keys(own).find((key) => Object.hasOwn(flags, key));
  if (twice === undefined) return { ...flags, ...own };
  throw new EngineError(
    'POLICY_DATA',
    `${JSON.stringify(twice)} is set by --data and by the data of a policy of the Project`,
  );
}
