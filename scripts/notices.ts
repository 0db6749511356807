// SPDX-License-Identifier: Apache-2.0
// Writes THIRD_PARTY_NOTICES.md: the licences of the Go modules in the built programs and of the npm packages we depend on.
// `node scripts/notices.ts`; needs Go with the modules in its cache, and node_modules.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');
const BUILT = join(ROOT, 'engine/toolchain/built');
const PROGRAMS = join(ROOT, 'engine/toolchain/programs');

interface Part {
  readonly name: string;
  readonly text: string;
}

function licenceIn(directory: string): string {
  const file = readdirSync(directory).find((name) => /^(?:licen[cs]e|copying)/i.test(name));
  return file === undefined ? 'no licence file' : readFileSync(join(directory, file), 'utf8').trim();
}

function goParts(): Part[] {
  const found = new Map<string, string>();
  for (const program of readdirSync(PROGRAMS)) {
    const { modules }: { modules: { path: string; version: string }[] } = JSON.parse(
      readFileSync(join(BUILT, `${program}.json`), 'utf8'),
    );
    for (const { path, version } of modules) {
      const options = {
        cwd: join(PROGRAMS, program),
        encoding: 'utf8',
        env: { ...process.env, GOFLAGS: '-mod=mod' },
      } as const;
      const directory = execFileSync('go', ['list', '-m', '-f', '{{.Dir}}', path], options).trim();
      found.set(`${path} ${version} (Go module)`, licenceIn(directory));
    }
  }
  return [...found].map(([name, text]) => ({ name, text }));
}

function npmParts(): Part[] {
  const lock: {
    packages: Record<string, { version?: string; dev?: boolean; optional?: boolean; license?: string }>;
  } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  return Object.entries(lock.packages)
    .filter(([path, entry]) => path !== '' && entry.dev !== true && existsSync(join(ROOT, path)))
    .map(([path, entry]) => ({
      name: `${path.slice(path.lastIndexOf('node_modules/') + 13)} ${entry.version} (npm package, ${entry.license ?? 'licence in file'})`,
      text: '',
    }));
}

const go = goParts().sort((a, b) => (a.name < b.name ? -1 : 1));
const names = [...new Set(npmParts().map((part) => part.name))].sort();
const text = [
  '# Third-party notices',
  '',
  'The programs in `engine/toolchain/built` contain the Go modules below, under the licences that follow them. The npm packages are',
  'not part of this package: npm installs them, each with its own licence file.',
  '',
  '## npm packages',
  '',
  ...names.map((name) => `- ${name}`),
  '',
  '## Go modules',
  '',
  ...go.flatMap((part) => [`### ${part.name}`, '', '```', part.text, '```', '']),
].join('\n');
writeFileSync(join(ROOT, 'THIRD_PARTY_NOTICES.md'), text);
