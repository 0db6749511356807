// SPDX-License-Identifier: Apache-2.0
import { readVerificationKey } from '../../attest/jws.ts';
import {
  type Bundle,
  type BundleOptions,
  type BundleVerification,
  readReference,
} from '../../engine/policy/bundle/index.ts';
import type { YamlReader } from '../../engine/toolchain/yaml.ts';
import { readSource } from '../files.ts';
import type { BundleSettings } from './flags.ts';

/**
 * Opens what `--policy` names, of whatever kind, verified as the settings ask: the one way in for every verb.
 * @throws {EngineError} POLICY_… | BUNDLE_… @throws {AttestError} KEY_UNREADABLE | KEY_KIND
 */
export async function openReferences(
  references: readonly string[],
  settings: BundleSettings,
  yaml: () => YamlReader,
): Promise<readonly Bundle[]> {
  const verification = verificationOf(settings);
  const options: BundleOptions = { yaml, ...(verification === undefined ? {} : { verification }) };
  const bundles: Bundle[] = [];
  for (const reference of new Set(references)) bundles.push(await readReference(reference, options));
  return bundles;
}

function verificationOf(settings: BundleSettings): BundleVerification | undefined {
  const { verificationKey, algorithm, keyId, scope, io } = settings;
  if (verificationKey === undefined) return undefined;
  return {
    key: readVerificationKey(readSource(verificationKey).bytes, algorithm),
    keyId,
    at: io.now(),
    ...(scope === undefined ? {} : { scope }),
  };
}
