// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { buildPrograms, exitWithoutGo, type GoProgram } from '../cluster/go.ts';

const PROGRAMS: readonly GoProgram[] = [
  { name: 'cosign', package: 'github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3' },
  { name: 'registry', package: 'github.com/google/go-containerregistry/cmd/registry@v0.20.6' },
];

/** Paths of the programs that images are signed with and kept in. */
export interface ImagePrograms {
  readonly cosign: string;
  readonly registry: string;
}

/** Builds all programs that are not up to date; ends the process where Go is missing. */
export async function buildImagePrograms(): Promise<ImagePrograms> {
  exitWithoutGo('which cosign and a registry are built with');
  const built = await buildPrograms(PROGRAMS, join(import.meta.dirname, '.build'));
  return { cosign: built.get('cosign') ?? '', registry: built.get('registry') ?? '' };
}

if (import.meta.main) await buildImagePrograms();
