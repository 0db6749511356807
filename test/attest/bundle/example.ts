// SPDX-License-Identifier: Apache-2.0
// Writes examples/attestations anew: `node --disable-warning=ExperimentalWarning test/attest/bundle/example.ts`. The instance that
// signs them is gone afterwards, so that nobody can sign anything else under this root.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ARTIFACT, type Json, newKey, newWorld, pemOf } from './world.ts';

const FOLDER = join(import.meta.dirname, '..', '..', '..', 'examples', 'attestations');
const put = (name: string, content: Json): void =>
  writeFileSync(
    join(FOLDER, name),
    typeof content === 'string' || Buffer.isBuffer(content)
      ? content
      : `${JSON.stringify(content, null, 2)}\n`,
  );

mkdirSync(FOLDER, { recursive: true });
const world = await newWorld();
const key = newKey();
put('web.txt', ARTIFACT);
put('trusted_root.json', world.trustedRoot());
put('provenance.sigstore.json', await world.make());
put(
  'web.txt.sigstore.json',
  await world.make({ key, entries: ['hashedrekord 0.0.2'], content: { artifact: ARTIFACT } }),
);
put('key.pub', pemOf(key));
