// SPDX-License-Identifier: Apache-2.0
// The picture of the house as a test: which folder may import which, and who owns which package (one file each).

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const ROOT = resolve(import.meta.dirname, '..');
const FOLDERS = ['attest', 'engine', 'webhook', 'cli'] as const;
type Folder = (typeof FOLDERS)[number];

const ARROWS: Readonly<Record<Folder, readonly Folder[]>> = {
  attest: [],
  engine: ['attest'],
  webhook: ['engine', 'attest'],
  cli: ['engine', 'attest'],
};

const PACKAGES: Readonly<Record<Folder, readonly string[]>> = {
  attest: [
    'sigstore',
    '@sigstore/bundle',
    '@sigstore/sign',
    '@sigstore/tuf',
    '@sigstore/verify',
    '@sigstore/protobuf-specs',
    '@noble/ciphers',
    'jose',
    'ajv',
    'pg',
  ],
  engine: ['@open-policy-agent/opa-wasm', 'yaml', 'ajv', 're2js'],
  webhook: ['express', '@kubernetes/client-node', 'prom-client', 'pkijs', 'asn1js'],
  cli: [],
};

interface Import {
  readonly file: string;
  readonly folder: Folder;
  readonly target: string;
  readonly isLazy: boolean;
}

function filesOf(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((path) => join(folder, path))
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts') && statSync(join(ROOT, path)).isFile());
}

function importsOf(folder: Folder): Import[] {
  return filesOf(folder).flatMap((file) => {
    const text = readFileSync(join(ROOT, file), 'utf8');
    const fixed = [...text.matchAll(/^(?:import|export)\s(?:[^'"]*?\sfrom\s)?['"]([^'"]+)['"]/gms)];
    const lazy = [...text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g)];
    return [
      ...fixed.map((match) => [match, false] as const),
      ...lazy.map((match) => [match, true] as const),
    ].map(([match, isLazy]) => ({
      file,
      folder,
      target: match[1] ?? '',
      isLazy,
    }));
  });
}

const ALL = FOLDERS.flatMap(importsOf);
const packageOf = (target: string): string =>
  target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');
const outside = ALL.filter(({ target }) => !target.startsWith('.') && !target.startsWith('node:'));

describe('the house', () => {
  it('has files and imports to look at', () => {
    for (const folder of FOLDERS) expect(filesOf(folder).length).toBeGreaterThan(0);
    expect(ALL.length).toBeGreaterThan(100);
  });

  it('has no arrow that is not in the table', () => {
    const wrong = ALL.filter(({ target }) => target.startsWith('.')).flatMap(
      ({ file, folder, target, isLazy }) => {
        const reached = relative(ROOT, resolve(ROOT, dirname(file), target)).replaceAll('\\', '/');
        const to = FOLDERS.find((name) => reached.startsWith(`${name}/`));
        const lazily = folder === 'cli' && reached === 'webhook/index.ts' && isLazy;
        return to === undefined || to === folder || ARROWS[folder].includes(to) || lazily
          ? []
          : [`${file} -> ${reached}`];
      },
    );
    expect(wrong).toEqual([]);
  });

  it('imports no package that the folder does not own', () => {
    const wrong = outside.filter(({ folder, target }) => !PACKAGES[folder].includes(packageOf(target)));
    expect(wrong.map(({ file, target }) => `${file} -> ${target}`)).toEqual([]);
  });

  it('imports each package in one file of a folder', () => {
    const files = new Map<string, Set<string>>();
    for (const { file, folder, target } of outside) {
      const key = `${folder}: ${packageOf(target)}`;
      files.set(key, (files.get(key) ?? new Set()).add(file));
    }
    expect(
      [...files]
        .filter(([, names]) => names.size > 1)
        .map(([key, names]) => `${key} in ${[...names].join(', ')}`),
    ).toEqual([]);
  });

  it('keeps the process to cli/main.ts and cli/seal.ts, and no console', () => {
    const allowed = new Set(['cli/main.ts', 'cli/seal.ts']);
    const found = FOLDERS.flatMap(filesOf).filter((file) => {
      const code = readFileSync(join(ROOT, file), 'utf8').replace(
        /\/\*[\s\S]*?\*\/|^\s*\/\/.*$|\/\/ .*$|`(?:[^`\\]|\\.)*`|'(?:[^'\\\n]|\\.)*'/gm,
        '',
      );
      return /\bconsole\.|\bprocess\./.test(code) && !allowed.has(file);
    });
    expect(found).toEqual([]);
  });

  it('keeps rooms at twelve files and files at 300 lines', () => {
    const files = FOLDERS.flatMap(filesOf);
    const rooms = new Map<string, number>();
    for (const file of files) rooms.set(dirname(file), (rooms.get(dirname(file)) ?? 0) + 1);
    expect([...rooms].filter(([, count]) => count > 12)).toEqual([]);
    expect(files.filter((file) => readFileSync(join(ROOT, file), 'utf8').split('\n').length > 301)).toEqual(
      [],
    );
  });
});
