// SPDX-License-Identifier: Apache-2.0
import { isBundlePath, readRegoSources } from '../../engine/policy/index.ts';
import type { RegoSource } from '../../engine/toolchain/rego.ts';
import type { YamlReader } from '../../engine/toolchain/yaml.ts';
import type { BundleSettings } from './flags.ts';

/** The Rego of some references, tests included, and the data that bundles among them bring. */
export interface PolicySources {
  readonly sources: readonly RegoSource[];
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * Reads the sources that a verb's paths name; each file once. Bundles are opened as everywhere, plain paths without loading any of it.
 * @param settings asked only where a bundle is among them
 * @param more.given data from elsewhere, whose keys no bundle may set
 */
export async function readPolicies(
  references: readonly string[],
  settings: () => BundleSettings,
  more: {
    readonly yaml: () => YamlReader;
    readonly given?: Readonly<Record<string, unknown>>;
    /** A verification key was named: then nothing is plain. */
    readonly isVerified?: boolean;
  },
): Promise<PolicySources> {
  const given = more.given ?? {};
  const isPlain = (path: string): boolean => !path.startsWith('oci://') && !isBundlePath(path);
  if (more.isVerified !== true && references.every(isPlain))
    return { sources: once(references.flatMap((path) => readRegoSources(path))), data: given };
  const { joinBundles, openReferences } = await import('./open.ts');
  const opened = await openReferences(references, settings(), more.yaml);
  const owned = opened.filter(({ name }) => more.isVerified === true || !isPlain(name));
  const { data } = joinBundles(owned, given);
  return { sources: once(opened.flatMap(({ sources }) => sources)), data };
}

const once = (sources: readonly RegoSource[]): readonly RegoSource[] => [
  ...new Map(sources.map((source) => [source.file, source])).values(),
];
