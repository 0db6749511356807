// SPDX-License-Identifier: Apache-2.0
// Bundles the sources into dist/: the program as one file whose modules run when they are first wanted, and its bytecode beside it
// (scripts/bytecode.cjs), as a start from some hundred small files takes 60 ms longer; each thread as a file of its own. Packages
// stay outside. Does nothing where dist/ is newer than every source, so that scripts can call it first.
import { execFileSync } from 'node:child_process';
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
import { join, resolve } from 'node:path';
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
  indexing_worker: 'cli/ledger/indexing_worker.ts',
  keeper_worker: 'attest/inputs/keeper_worker.ts',
  render_worker: 'engine/render/render_worker.ts',
  judging_worker: 'webhook/admission/judging_worker.ts',
  checking_worker: 'webhook/checking/checking_worker.ts',
  proving_worker: 'webhook/claims/proving_worker.ts',
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
  platform: 'node',
  target: 'node24',
  logLevel: 'warning',
  write: false,
} as const;

/** A module of this form takes packages, too, when it first runs; escapes keep the text ASCII, which is a byte a character in memory. */
const MAIN = {
  entryPoints: { main: 'cli/main.ts' },
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  charset: 'ascii',
  define: { 'import.meta.url': '__url' },
  banner: { js: "const __url = require('node:url').pathToFileURL(__filename).href;" },
} as const;

/** Strings are escaped, patterns are not: one that is written with other characters would be another once it is read as ASCII. */
function ascii(text: string): string {
  const line = text.split('\n').find((each) => /[^\0-\x7f]/.test(each));
  if (line !== undefined) throw new Error(`not ASCII, write it with \\u: ${line}`);
  return text;
}

if (!existsSync(STAMP) || statSync(STAMP).mtimeMs < newest()) {
  rmSync(DIST, { recursive: true, force: true });
  const [main, threads] = await Promise.all([
    build({ ...COMMON, ...MAIN, plugins: [tables] }),
    build({ ...COMMON, plugins: [tables], entryPoints: THREADS, format: 'esm' }),
  ]);
  mkdirSync(DIST, { recursive: true });
  for (const { path, text } of main.outputFiles) writeFileSync(path, ascii(text));
  for (const { path, text } of threads.outputFiles) writeFileSync(path, byRequire(text));
  execFileSync(process.execPath, [join(ROOT, 'scripts', 'bytecode.cjs')], { cwd: ROOT });
  writeFileSync(STAMP, '');
  chmodSync(join(ROOT, 'cli', 'launcher.cjs'), 0o755);
}
