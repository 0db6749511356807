// SPDX-License-Identifier: Apache-2.0
// Builds cosign, a registry and Fulcio where they are not built or named yet, each once for all suites, and runs the tests of this folder.
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { buildPrograms, exitWithoutGo, type GoProgram } from '../cluster/go.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
const PROGRAMS: readonly (readonly [variable: string, suite: string, program: GoProgram])[] = [
  [
    'COUNTERSIGN_COSIGN',
    'cluster',
    { name: 'cosign', package: 'github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3' },
  ],
  [
    'COUNTERSIGN_REGISTRY',
    'bundles',
    { name: 'registry', package: 'github.com/google/go-containerregistry/cmd/registry@v0.20.6' },
  ],
  ['COUNTERSIGN_FULCIO', 'cosign', { name: 'fulcio', package: 'github.com/sigstore/fulcio@v1.8.8' }],
];

const env: Record<string, string | undefined> = {
  ...process.env,
  NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning',
};
for (const [variable, suite, program] of PROGRAMS) {
  if ((env[variable] ?? '') !== '') continue;
  exitWithoutGo('which cosign, a registry and Fulcio are built with');
  const built = await buildPrograms([program], join(ROOT, 'test', suite, '.build'));
  env[variable] = built.get(program.name);
}
const { status } = spawnSync(
  join(ROOT, 'node_modules', '.bin', 'jest'),
  ['--testPathIgnorePatterns', 'node_modules', '--testMatch', '<rootDir>/test/cosign/**/*.test.ts'],
  { cwd: ROOT, env, stdio: 'inherit' },
);
process.exit(status ?? 1);
