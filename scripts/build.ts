// SPDX-License-Identifier: Apache-2.0
// Compiles the sources into dist/. Does nothing where dist/ is newer than every source, so that scripts can call it first.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');
const STAMP = join(DIST, '.built');
const SOURCES = ['attest', 'engine', 'webhook', 'cli'];

function newest(): number {
  const files = SOURCES.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.(?:ts|json)$/.test(path) && !path.includes('programs') && !path.includes('built'))
      .map((path) => join(ROOT, folder, path)),
  );
  return Math.max(...[...files, join(ROOT, 'tsconfig.build.json')].map((file) => statSync(file).mtimeMs));
}

if (!existsSync(STAMP) || statSync(STAMP).mtimeMs < newest()) {
  rmSync(DIST, { recursive: true, force: true });
  const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  execFileSync(process.execPath, [compiler, '-p', join(ROOT, 'tsconfig.build.json')], { stdio: 'inherit' });
  writeFileSync(STAMP, '');
  chmodSync(join(ROOT, 'cli', 'launcher.cjs'), 0o755);
}
