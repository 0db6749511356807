// SPDX-License-Identifier: Apache-2.0
import type { RegoSource } from '../../toolchain/rego.ts';
import type { Bundle, WasmFile } from './bundle.ts';
import { insertData } from './data.ts';
import { type ExactObject, plainValue } from './json.ts';
import { refuseSharedRoots } from './roots.ts';

/** Several bundles as the one policy that they are together, as in one OPA. */
export interface JoinedBundles {
  readonly name: string;
  readonly revision: string;
  /** Tests included. */
  readonly sources: readonly RegoSource[];
  readonly data: Readonly<Record<string, unknown>>;
  readonly modules: readonly WasmFile[];
}

/**
 * Joins bundles: their Rego sees each other's and all data, and no two own the same part of it.
 * @param given data from elsewhere, whose keys no bundle may set
 * @throws {EngineError} BUNDLE_ROOTS | POLICY_DATA
 */
export function joinBundles(
  bundles: readonly Bundle[],
  given: Readonly<Record<string, unknown>> = {},
): JoinedBundles {
  refuseSharedRoots(bundles.map(({ name, manifest }) => ({ name, roots: manifest.roots })));
  const taken: ExactObject = new Map(Object.keys(given).map((key) => [key, null]));
  const all = bundles.reduce((data, bundle) => insertData(data, [], bundle.data, bundle.name), taken);
  const own = [...all].filter(([key]) => !taken.has(key));
  return {
    name: bundles.map(({ name }) => name).join('+'),
    revision: bundles.map(({ manifest }) => manifest.revision).join('+'),
    sources: bundles.flatMap(({ sources }) => sources),
    data: { ...given, ...Object.fromEntries(own.map(([key, value]) => [key, plainValue(value)])) },
    modules: bundles.flatMap(({ modules }) => modules),
  };
}
