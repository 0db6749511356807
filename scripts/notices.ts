// SPDX-License-Identifier: Apache-2.0
// Writes THIRD_PARTY_NOTICES.md: the licences and notices of what the built programs contain (Go itself and the modules of
// their manifests), and the names of the npm packages that an installation brings. With --check it only compares: exit 1 if
// the file differs, 77 where there is no Go (1 with CI set).
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { goEnvironment, hasGo, programNames } from './wasm.ts';

const ROOT = resolve(import.meta.dirname, '..');
const TOOLCHAIN = join(ROOT, 'engine/toolchain');
const NOTICES = join(ROOT, 'THIRD_PARTY_NOTICES.md');
const SKIPPED = 77;

/** Apache-2.0 §4(d): a NOTICE travels with the work, as the licence does. */
const LEGAL = /^(?:licen[cs]e|copying|notice|patents)(?:[.-].*)?$/i;

interface Manifest {
  readonly go: string;
  readonly modules: readonly { readonly path: string; readonly version: string }[];
}

function go(program: string, parameters: readonly string[]): string {
  const cwd = join(TOOLCHAIN, 'programs', program);
  return execFileSync('go', parameters, { cwd, encoding: 'utf8', env: goEnvironment(cwd) }).trim();
}

/** Each text in a fence longer than any inside it. */
function quoted(directory: string, files: readonly string[]): string {
  if (files.length === 0) throw new Error(`no licence in ${directory}`);
  return files
    .toSorted()
    .map((name) => {
      const text = readFileSync(join(directory, name), 'utf8').replaceAll('\r\n', '\n').trimEnd();
      return `${name}:\n\n\`\`\`\`text\n${text}\n\`\`\`\`\n`;
    })
    .join('\n');
}

/** Go's own tree holds its compiler's parts too, which are not in the programs: its top is enough. */
function goTexts(directory: string): string {
  return quoted(
    directory,
    readdirSync(directory).filter((name) => LEGAL.test(name)),
  );
}

/** All of a module's, for some hold a package of another author with a licence of its own. */
function moduleTexts(directory: string): string {
  const paths = readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((path) =>
    path.replaceAll('\\', '/'),
  );
  const isShipped = (path: string): boolean => !/(?:^|\/)(?:docs|testdata|node_modules)\//.test(path);
  return quoted(
    directory,
    paths.filter((path) => LEGAL.test(basename(path)) && !path.endsWith('.go') && isShipped(path)),
  );
}

function goSections(): readonly string[] {
  const sections = new Map<string, string>();
  for (const program of programNames()) {
    const manifest: Manifest = JSON.parse(readFileSync(join(TOOLCHAIN, 'built', `${program}.json`), 'utf8'));
    sections.set(
      `Go ${manifest.go.slice(2)}, runtime and standard library`,
      goTexts(go(program, ['env', 'GOROOT'])),
    );
    for (const { path, version } of manifest.modules) {
      sections.set(`${path} ${version}`, moduleTexts(go(program, ['list', '-m', '-f', '{{.Dir}}', path])));
    }
  }
  return [...sections].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, text]) => `### ${name}\n\n${text}`);
}

interface Locked {
  readonly version?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly license?: string;
}

/** From the lock file alone, so that the list is the same on every platform. */
function npmLines(): readonly string[] {
  const lock: { packages: Record<string, Locked> } = JSON.parse(
    readFileSync(join(ROOT, 'package-lock.json'), 'utf8'),
  );
  const lines = Object.entries(lock.packages)
    .filter(([path, entry]) => path !== '' && entry.dev !== true && entry.devOptional !== true)
    .map(([path, entry]) => {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
      return `- ${name} ${entry.version ?? ''} (${entry.license ?? 'see its licence file'})`;
    });
  return [...new Set(lines)].sort();
}

function notices(): string {
  return [
    '# Third-party notices',
    '',
    'The programs in `engine/toolchain/built` contain what is listed under *Go*, under the licences given there. The npm packages',
    'are not part of this package: npm installs them, each with its own licence file.',
    '',
    '## npm packages',
    '',
    ...npmLines(),
    '',
    '## Go',
    '',
    goSections().join('\n'),
  ].join('\n');
}

function main(parameters: readonly string[]): number {
  if (!hasGo()) {
    console.log('skipped: go is not installed');
    return process.env['CI'] ? 1 : SKIPPED;
  }
  const text = notices();
  if (!parameters.includes('--check')) {
    writeFileSync(NOTICES, text);
    return 0;
  }
  const isSame = readFileSync(NOTICES, 'utf8') === text;
  console.log(isSame ? 'ok THIRD_PARTY_NOTICES.md' : 'differs THIRD_PARTY_NOTICES.md');
  return isSame ? 0 : 1;
}

if (import.meta.main) process.exitCode = main(process.argv.slice(2));
