// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { buildPrograms, exitWithoutGo, type GoProgram } from '../cluster/go.ts';

const PROGRAMS: readonly GoProgram[] = [
  { name: 'opa', package: 'github.com/open-policy-agent/opa@v1.22.2' },
  { name: 'conftest', package: 'github.com/open-policy-agent/conftest@v0.71.1' },
  { name: 'registry', package: 'github.com/google/go-containerregistry/cmd/registry@v0.20.6' },
];

/** Paths of the programs that our bundles are read and written by. */
export interface BundlePrograms {
  readonly opa: string;
  readonly conftest: string;
  readonly registry: string;
}

/** Builds all programs that are not up to date; ends the process where Go is missing. */
export async function buildBundlePrograms(): Promise<BundlePrograms> {
  exitWithoutGo('which OPA, Conftest and a registry are built with');
  const built = await buildPrograms(PROGRAMS, join(import.meta.dirname, '.build'));
  const path = (name: string): string => built.get(name) ?? '';
  return { opa: path('opa'), conftest: path('conftest'), registry: path('registry') };
}

if (import.meta.main) await buildBundlePrograms();
