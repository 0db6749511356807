// SPDX-License-Identifier: Apache-2.0
// Installs the clouds' own clients, which are no dependencies of ours, into test/kms/.build and tries the keys that need them.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..', '..');
const FOLDER = join(import.meta.dirname, '.build');
const PACKAGES = [
  '@aws-sdk/client-kms@3.1161.0',
  '@google-cloud/kms@6.3.0',
  '@azure/keyvault-keys@4.10.2',
  '@azure/identity@4.13.1',
];

mkdirSync(FOLDER, { recursive: true });
writeFileSync(join(FOLDER, 'package.json'), '{"private": true}\n');
const flags = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--no-save'];
const installed = spawnSync('npm', [...flags, ...PACKAGES], { cwd: FOLDER, stdio: 'inherit' });
if (installed.status !== 0) {
  const isInCi = (process.env['CI'] ?? '') !== '';
  process.stdout.write(`${isInCi ? 'failed' : 'skipped'}: npm cannot install the packages\n`);
  process.exit(isInCi ? 1 : 77);
}
const env = {
  ...process.env,
  COUNTERSIGN_KMS_PACKAGES: FOLDER,
  NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning',
};
// The clients keep connections open for their next call.
const { status } = spawnSync(
  join(ROOT, 'node_modules', '.bin', 'jest'),
  [
    '--forceExit',
    '--testPathIgnorePatterns',
    '/node_modules/',
    '--testMatch',
    '<rootDir>/test/kms/*.test.ts',
  ],
  { cwd: ROOT, env, stdio: 'inherit' },
);
process.exit(status ?? 1);
