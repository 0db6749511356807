// SPDX-License-Identifier: Apache-2.0
// Bundles the sources into dist/, one file for each part that is loaded by itself: a start from some hundred small files takes
// 50 ms longer. Packages stay outside. Does nothing where dist/ is newer than every source, so that scripts can call it first.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';

const ROOT = resolve(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');
const STAMP = join(DIST, '.built');
const SOURCES = ['attest', 'engine', 'webhook', 'cli'];

/**
 * Takes Node's own modules by `require`: an `import` reads every member of a module to make its namespace, and that loads what most
 * of them load late (10 ms of a start). esbuild writes each such import as one statement, before the code that needs it.
 */
function byRequire(text: string): string {
  const taken = text.replaceAll(
    /^import \{([^}]*)\} from ("node:[^"]+");$/gm,
    (_, names: string, module: string) => `const {${names.replaceAll(' as ', ': ')}} = require(${module});`,
  );
  const left = /^import .* from "node:[^"]+";$/m.exec(taken)?.[0];
  if (left !== undefined) throw new Error(`an import of another form: ${left}`);
  return REQUIRE + taken;
}
const REQUIRE =
  "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);\n";

function newest(): number {
  const files = SOURCES.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.(?:ts|json)$/.test(path) && !path.includes('programs') && !path.includes('built'))
      .map((path) => join(ROOT, folder, path)),
  );
  return Math.max(...[...files, import.meta.filename].map((file) => statSync(file).mtimeMs));
}

/** They stand beside the parts of the rest, where those that start them look for them. */
const THREADS = {
  rego_worker: 'engine/toolchain/rego/rego_worker.ts',
  recorder_worker: 'attest/ledger/recorder_worker.ts',
  keeper_worker: 'attest/inputs/keeper_worker.ts',
  render_worker: 'engine/render/render_worker.ts',
  judging_worker: 'webhook/admission/judging_worker.ts',
};

/** A large table as text that is parsed when it is wanted: as an object literal it takes several times as long. */
const tables: Plugin = {
  name: 'tables',
  setup: ({ onLoad }) =>
    onLoad({ filter: /kubernetes\.json$/ }, ({ path }) => ({
      contents: `export default JSON.parse(${JSON.stringify(readFileSync(path, 'utf8'))});`,
      loader: 'js',
    })),
};

const COMMON = {
  absWorkingDir: ROOT,
  outdir: DIST,
  bundle: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: 'node24',
  logLevel: 'warning',
  write: false,
} as const;

if (!existsSync(STAMP) || statSync(STAMP).mtimeMs < newest()) {
  rmSync(DIST, { recursive: true, force: true });
  // Threads whole, each by itself: what they share with the rest would be cut into many more parts, each a file to open at a start.
  const built = await Promise.all([
    build({ ...COMMON, plugins: [tables], entryPoints: { 'cli/main': 'cli/main.ts' }, splitting: true }),
    build({ ...COMMON, plugins: [tables], entryPoints: THREADS }),
  ]);
  for (const { path, text } of built.flatMap(({ outputFiles }) => outputFiles)) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, byRequire(text));
  }
  writeFileSync(STAMP, '');
  chmodSync(join(ROOT, 'cli', 'launcher.cjs'), 0o755);
}
