// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { buildPrograms, exitWithoutGo, type GoProgram } from '../cluster/go.ts';

const PEERS: readonly GoProgram[] = [
  { name: 'conftest', package: 'github.com/open-policy-agent/conftest@v0.71.1' },
  { name: 'opa', package: 'github.com/open-policy-agent/opa@v1.22.2' },
];

/** Paths of the programs that we are compared with. */
export interface Peers {
  readonly conftest: string;
  readonly opa: string;
}

/** Builds the peers unless they are there; ends the process where Go is missing. */
export async function buildPeers(): Promise<Peers> {
  exitWithoutGo('which Conftest and OPA, the peers of this benchmark, are built with');
  const built = await buildPrograms(PEERS, join(import.meta.dirname, '.build'));
  return { conftest: built.get('conftest') ?? '', opa: built.get('opa') ?? '' };
}
