// SPDX-License-Identifier: Apache-2.0
// Not by the folder's index: the ledger behind it takes a start some milliseconds.
import { readTrust, type Trust } from '../../attest/trust/index.ts';
import { UsageError } from '../exit.ts';
import { readSource } from '../files.ts';
import type { BundleSettings } from './flags.ts';

/** What a Project says of trust, as a trust file has it. */
export const statedTrust = (trust: BundleSettings['projectTrust']): object => ({
  apiVersion: 'countersign.dev/v1alpha1',
  kind: 'Trust',
  keys: trust?.keys ?? [],
  identities: trust?.identities ?? [],
  logs: trust?.logs ?? [],
});

/**
 * Whose releases are believed: the Project's keys for `policy`, or those of `--trust`. Undefined where nobody was named, and then no
 * release is asked for. A command line cannot add to the keys of a Project: that would weaken it.
 * @throws {AttestError} TRUST_SHAPE @throws {UsageError}
 */
export function policyTrust({ projectTrust, trustFile }: BundleSettings): Trust | undefined {
  const stated = projectTrust === undefined ? undefined : readTrust(statedTrust(projectTrust));
  const isStated = stated?.keys.some(({ uses }) => uses.includes('policy')) === true;
  if (trustFile === undefined) return isStated ? stated : undefined;
  if (isStated)
    throw new UsageError('--trust is given, and the Project says whom to trust', 'leave --trust away');
  // Named, so it counts: a file without a key for policy trusts nobody, and every bundle is refused.
  return readTrust(JSON.parse(Buffer.from(readSource(trustFile).bytes).toString('utf8')));
}
