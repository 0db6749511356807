// SPDX-License-Identifier: Apache-2.0
// Bundles the sources into dist/, one file for each part that is loaded by itself: a start from some hundred small files takes
// 50 ms longer. Packages stay outside. Does nothing where dist/ is newer than every source, so that scripts can call it first.
import { chmodSync, existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';

const ROOT = resolve(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');
const STAMP = join(DIST, '.built');
const SOURCES = ['attest', 'engine', 'webhook', 'cli'];

/**
 * Node's own modules by `require`: an `import` reads every member of a module to make its namespace, which loads what most of them
 * load late (10 ms of a start).
 */
const builtinsByRequire: Plugin = {
  name: 'builtins by require',
  setup(of) {
    of.onResolve({ filter: /^node:/ }, ({ path, namespace }) =>
      namespace === 'builtin' ? { path, external: true } : { path, namespace: 'builtin', sideEffects: false },
    );
    of.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)})`,
    }));
  },
};
const REQUIRE =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

function newest(): number {
  const files = SOURCES.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.(?:ts|json)$/.test(path) && !path.includes('programs') && !path.includes('built'))
      .map((path) => join(ROOT, folder, path)),
  );
  return Math.max(...[...files, import.meta.filename].map((file) => statSync(file).mtimeMs));
}

if (!existsSync(STAMP) || statSync(STAMP).mtimeMs < newest()) {
  rmSync(DIST, { recursive: true, force: true });
  await build({
    absWorkingDir: ROOT,
    // The workers stand beside the chunks, where the threads that start them look for them.
    entryPoints: {
      'cli/main': 'cli/main.ts',
      rego_worker: 'engine/toolchain/rego_worker.ts',
      recorder_worker: 'attest/ledger/recorder_worker.ts',
    },
    outdir: DIST,
    bundle: true,
    splitting: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node24',
    plugins: [builtinsByRequire],
    banner: { js: REQUIRE },
    logLevel: 'warning',
  });
  writeFileSync(STAMP, '');
  chmodSync(join(ROOT, 'cli', 'launcher.cjs'), 0o755);
}
