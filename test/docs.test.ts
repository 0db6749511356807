// SPDX-License-Identifier: Apache-2.0
// What the documentation shows is run. Every sh block has an HTML comment on the line before it,
//   <!-- run: exit 0 1 -->                 the exit code of each command in it, in a fresh folder that holds only examples/ and policies/
//                                          (those of README.md one after the other in the same folder)
//   <!-- run: exit 0 after README.md 2 --> the same, in the folder where that file's second sh block was run before
// or stands in NOT_RUN with the reason. A text block that begins with "$ " is a transcript: what the command prints, exactly.

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { readProject } from '../engine/context/project.ts';
import { openYamlReader } from '../engine/toolchain/yaml.ts';

/** Blocks that are not run here, by file and first command, and why. */
const NOT_RUN: Readonly<Record<string, string>> = {
  'README.md: npm ci && npm run demo': 'installs into the clone and runs these tests; .ci/run does both',
  'README.md: npx countersign serve': 'needs a cluster; test/cluster does the same with a real API server',
  'docs/records.md: cosign verify-blob-attestation': 'needs cosign; test/cosign runs it',
  'docs/signing.md: cosign verify-blob': 'needs cosign; test/cosign runs the same',
  'docs/bundles.md: countersign init': 'needs a registry; test/docs/bundles.test.ts runs it against one',
  'docs/images.md: countersign verify image':
    'needs a registry; test/docs/images.test.ts runs it against one',
  'docs/people.md: countersign approvals import':
    'needs a forge; test/docs/imports.test.ts runs it against one',
  'docs/ledger.md: countersign records publish --to timestamp':
    'needs a timestamp authority; test/cli/timestamps.test.ts runs it against one',
  'deploy/README.md: npm pack': 'builds and pushes an image; needs a container builder and a registry',
  'deploy/README.md: kubectl apply': 'needs a cluster',
};

const ROOT = process.cwd();
const FILES = [
  'README.md',
  ...readdirSync('docs')
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => `docs/${name}`),
  'deploy/README.md',
  'policies/README.md',
];

interface Block {
  readonly file: string;
  /** 1-based among the blocks of its language in its file. */
  readonly number: number;
  readonly marker: string;
  readonly text: string;
}

function blocksOf(file: string, language: string): readonly Block[] {
  const text = readFileSync(file, 'utf8');
  const found = text.matchAll(/^(?:(<!--.*-->)\n)?```(\w+)\n([\s\S]*?)^```$/gm);
  return [...found]
    .filter((match) => match[2] === language)
    .map((match, index) => ({ file, number: index + 1, marker: match[1] ?? '', text: match[3] ?? '' }));
}

/** All of them take a minute: `npm test` runs those of README.md, `npm run test:docs` those of every page. */
const isRun = ({ file }: Block): boolean => file === 'README.md' || process.env['DOCS'] === 'all';

const SHELL = FILES.flatMap((file) => blocksOf(file, 'sh'));
const reasonOf = ({ file, text }: Block): string | undefined =>
  Object.entries(NOT_RUN).find(([key]) => `${file}: ${text}`.startsWith(key))?.[1];

interface Plan {
  readonly exits: readonly number[];
  readonly after?: Block;
}

function planOf(block: Block): Plan | undefined {
  const match = /^<!-- run: exit ([\d ]+?)(?: after (\S+) (\d+))? -->$/.exec(block.marker);
  if (match === null) return undefined;
  const exits = (match[1] ?? '').split(' ').map(Number);
  const after = SHELL.find(({ file, number }) => file === match[2] && String(number) === match[3]);
  return { exits, ...(after === undefined ? {} : { after }) };
}

const temporary = mkdtempSync(join(tmpdir(), 'countersign-docs-'));
afterAll(() => rmSync(temporary, { recursive: true }));

/** `countersign` and `npx countersign` as an installation would have them. */
const bin = join(temporary, 'bin');
mkdirSync(bin);
for (const [name, line] of [
  ['countersign', `exec '${process.execPath}' '${resolve('cli/launcher.cjs')}' "$@"`],
  ['npx', 'exec "$@"'],
] as const) {
  writeFileSync(join(bin, name), `#!/bin/sh\n${line}\n`);
  chmodSync(join(bin, name), 0o755);
}

let next = 0;
function freshFolder(): string {
  const folder = join(temporary, String(next++));
  mkdirSync(folder);
  for (const name of ['examples', 'policies']) symlinkSync(join(ROOT, name), join(folder, name));
  return folder;
}

function shell(command: string, cwd: string): { status: number | null; output: string } {
  const env = {
    ...process.env,
    NODE_OPTIONS: '',
    PATH: `${bin}${delimiter}${process.env['PATH']}`,
    COUNTERSIGN_CACHE: join(temporary, 'cache'),
  };
  const { status, stdout } = spawnSync('bash', ['-c', `(${command}\n) 2>&1`], { cwd, env, encoding: 'utf8' });
  return { status, output: stdout };
}

/** One command a line; a line that ends in a backslash goes on. */
const commandsOf = (text: string): readonly string[] =>
  text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');

/** The README is read from top to bottom in one folder, and its blocks are run so. */
const readme = freshFolder();

function runBlock(block: Block, inFolder?: string): string {
  const plan = planOf(block);
  if (plan === undefined) throw new Error(`${block.file} block ${block.number} has no marker`);
  const folder = inFolder ?? (plan.after === undefined ? freshFolder() : runBlock(plan.after));
  const commands = commandsOf(block.text);
  const ended = commands.map((command) => ({ command, ...shell(command, folder) }));
  expect(ended).toEqual(
    commands.map((command, index) => ({ command, status: plan.exits[index], output: expect.anything() })),
  );
  return folder;
}

describe('the sh blocks of the documentation', () => {
  it('are each run, or listed with the reason why not, and the list has no more', () => {
    const unknown = SHELL.filter(
      (block) => (planOf(block) === undefined) === (reasonOf(block) === undefined),
    );
    expect(unknown.map(({ file, text }) => `${file}: ${text.split('\n')[0]}`)).toEqual([]);
    const used = new Set(SHELL.map(reasonOf));
    expect(Object.values(NOT_RUN).filter((reason) => !used.has(reason))).toEqual([]);
  });

  it('name the blocks that they come after', () => {
    const lost = SHELL.filter(({ marker }) => marker.includes(' after ')).filter(
      (block) => planOf(block)?.after === undefined,
    );
    expect(lost).toEqual([]);
  });

  it.each(
    SHELL.filter((block) => isRun(block) && planOf(block) !== undefined).map(
      (block) => [`${block.file} ${block.number}`, block] as const,
    ),
  )(
    '%s',
    (_, block) => {
      runBlock(block, block.file === 'README.md' ? readme : undefined);
    },
    120_000,
  );
});

describe('the transcripts of the documentation', () => {
  // Those of policy-commands.md hold digests and measurements: test/cli/docs.test.ts runs them and compares all else.
  const transcripts = FILES.filter((file) => file !== 'docs/policy-commands.md')
    .flatMap((file) => blocksOf(file, 'text'))
    .filter(({ text }) => text.startsWith('$ '));

  it('are there', () => {
    expect(transcripts.length).toBeGreaterThan(0);
  });

  it.each(transcripts.filter(isRun).map((block) => [`${block.file} ${block.number}`, block] as const))(
    '%s',
    (_, { text }) => {
      const [command = '', ...lines] = text.split('\n');
      expect(shell(command.slice(2), freshFolder()).output).toBe(lines.join('\n'));
    },
  );
});

describe('the yaml blocks of the documentation', () => {
  it('that are Projects hold against the schema', () => {
    const reader = openYamlReader(resolve('engine/toolchain/built'));
    const projects = FILES.flatMap((file) => blocksOf(file, 'yaml')).filter(({ text }) =>
      text.includes('kind: Project\n'),
    );
    expect(projects.length).toBeGreaterThan(0);
    for (const { file, text } of projects)
      expect(readProject({ name: file, bytes: Buffer.from(text) }, reader).digest).toMatch(/^[0-9a-f]{64}$/);
  });
});
