// SPDX-License-Identifier: Apache-2.0
// What a reader needs to check records without us: bundles, listings, whom to trust, and the log's root.
import { join } from 'node:path';
import { listingOf } from '../../../../engine/record/predicate.ts';
import type { Given } from '../given.ts';
import type { Recorded } from '../recorded.ts';

/** One file to be written, by its path below the folder or archive. */
export interface OutFile {
  readonly path: string;
  readonly text: string;
}

/** The files of one record, below a folder of its own. */
export const recordFiles = (folder: string, { bundle, decision }: Recorded): readonly OutFile[] => [
  { path: join(folder, 'record.json'), text: `${JSON.stringify(bundle)}\n` },
  { path: join(folder, 'set.txt'), text: listingOf(decision.set) },
];

/** Whom to trust, for this CLI and for cosign, which takes keys and a root apart. */
export function trustFiles({ trust, text }: Given): readonly OutFile[] {
  const logs: unknown = Reflect.get(Object(JSON.parse(text)), 'logs');
  const [root] = Array.isArray(logs) ? logs : [];
  return [
    { path: 'trust.json', text },
    { path: 'trusted_root.json', text: `${JSON.stringify(root, null, 2)}\n` },
    ...trust.keys.map(({ name, publicKey }) => ({ path: keyFile(name), text: publicKey })),
  ];
}

const keyFile = (name: string): string => `keys/${name.replaceAll(/[^\w.-]/g, '_')}.pub`;

/** The file of the key that a record names. */
export function keyFileOf({ bundle }: Recorded, { trust }: Given): string {
  const { hint } = bundle.verificationMaterial.publicKey;
  return keyFile(trust.keys.find(({ id }) => id === hint)?.name ?? 'unknown');
}
