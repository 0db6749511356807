// SPDX-License-Identifier: Apache-2.0
// What golden cases cannot show of the verbs of `policy`: files that are written, a watch, figures, a terminal.
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { unifiedDiff } from '../../cli/report/diff.ts';
import { countersign } from './world.ts';

const root = mkdtempSync(join(tmpdir(), 'countersign-policy-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const POLICY = 'package main\n\ndeny contains "no name" if not input.name\n';

function folderOf(name: string, files: Readonly<Record<string, string>>): string {
  const folder = join(root, name);
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  return folder;
}

describe('policy build', () => {
  it('writes the module and what is in it', async () => {
    const source = '# METADATA\n# entrypoint: true\nallow := true\n';
    const folder = folderOf('build', { 'main.rego': POLICY, 'authz.rego': `package authz\n\n${source}` });
    const output = join(root, 'built');
    const { exit, out } = await countersign(['policy', 'build', folder, '--output', output]);
    const wasm = readFileSync(join(output, 'policy.wasm'));
    const digest = createHash('sha256').update(wasm).digest('hex');
    expect({ exit, out }).toEqual({
      exit: 0,
      out: `${join(output, 'policy.wasm')}: ${wasm.length} bytes, sha256:${digest}\n`,
    });
    expect(JSON.parse(readFileSync(join(output, 'policy.json'), 'utf8'))).toMatchObject({
      kind: 'CompiledPolicy',
      module: { digest: { sha256: digest } },
      entrypoints: ['countersign/entrypoint/conftest', 'authz/allow'],
    });
  });
});

describe('policy fmt --write', () => {
  it('replaces what differs, keeps its mode, and leaves nothing else behind', async () => {
    const folder = folderOf('fmt', { 'a.rego': 'package   a\np := 1', 'b.rego': 'package b\n\np := 1\n' });
    const before = statSync(join(folder, 'b.rego')).mtimeMs;
    const { exit, out } = await countersign(['policy', 'fmt', folder, '--write']);
    expect({ exit, out, files: readdirSync(folder) }).toEqual({
      exit: 0,
      out: '',
      files: ['a.rego', 'b.rego'],
    });
    expect(readFileSync(join(folder, 'a.rego'), 'utf8')).toBe('package a\n\np := 1\n');
    expect(statSync(join(folder, 'b.rego')).mtimeMs).toBe(before);
  });

  it('writes nothing where one of the files cannot be read', async () => {
    const folder = folderOf('fmt-bad', { 'a.rego': 'package   a\np := 1', 'b.rego': 'package' });
    expect((await countersign(['policy', 'fmt', folder, '--write'])).exit).toBe(4);
    expect(readFileSync(join(folder, 'a.rego'), 'utf8')).toBe('package   a\np := 1');
  });
});

describe('policy test --watch', () => {
  it('runs again on a change, survives a broken file, and ends with the last exit code', async () => {
    const folder = folderOf('watch', { 'a_test.rego': 'package a_test\n\ntest_a if true\n' });
    const runs: string[] = [];
    let stop: () => void = () => undefined;
    let waiting: (() => void) | undefined;
    let idle = 0;
    const settled = async (count: number): Promise<void> => {
      while (idle < count)
        await new Promise<void>((resolve) => {
          waiting = resolve;
        });
    };
    const ended = countersign(['policy', 'test', folder, '--watch'], {
      out: (text) => runs.push(text.split(';')[0] ?? ''),
      err: (text) => {
        if (text.startsWith('watching')) idle++;
        else runs.push(text.split(' [')[0] ?? '');
        waiting?.();
      },
      onStop: (callback) => {
        stop = callback;
      },
    });
    const change = async (text: string, count: number): Promise<void> => {
      writeFileSync(join(folder, 'a_test.rego'), text);
      await settled(count);
    };
    await settled(1);
    await change('package a_test\n\ntest_a if {\n', 2);
    await change('package a_test\n\ntest_a if false\n', 3);
    stop();
    expect((await ended).exit).toBe(1);
    expect(runs[0]).toBe('1 passed, 0 failed');
    expect(runs[1]).toContain('unexpected eof token');
    expect(runs.at(-1)).toContain('test_a failed');
  });
});

describe('policy bench', () => {
  it('counts what a decision costs, the same each time', async () => {
    const folder = folderOf('bench', { 'main.rego': POLICY });
    const bench = async (): Promise<Record<string, unknown>> => {
      const argv = ['policy', 'bench', folder, '--input', '-', '--duration', '20ms', '--format', 'json'];
      const { exit, out } = await countersign(argv, { input: '{"kind":"Pod","apiVersion":"v1"}' });
      expect(exit).toBe(0);
      return JSON.parse(out);
    };
    const [one, two] = [await bench(), await bench()];
    expect(one).toMatchObject({
      evaluations: expect.any(Number),
      fuel: two['fuel'],
      memoryBytes: two['memoryBytes'],
      module: two['module'],
    });
    expect(Number(one['fuel'])).toBeGreaterThan(100);
    const text = await countersign([
      'policy',
      'bench',
      folder,
      '--entrypoint',
      'main/deny',
      '--duration',
      '20ms',
    ]);
    expect(text.out).toMatch(/^evaluations {2}[\d,]+, [\d,]+ a second\ntime {9}[\d.]+ µs each/);
  });
});

describe('a diff', () => {
  const text = fc
    .array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 12 })
    .map((lines) => lines.map((line) => `${line}\n`).join(''));

  it('turns the one text into the other', () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        expect(patched(before, unifiedDiff('f', before, after))).toBe(after);
      }),
    );
  });

  it('is nothing for what is equal, and shows a missing line feed', () => {
    expect(unifiedDiff('f', 'a\n', 'a\n')).toBe('');
    expect(unifiedDiff('f', 'a', 'a\n')).toBe(
      '--- f\n+++ f\n@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+a\n',
    );
  });
});

/** Applies a unified diff, checking that each line it names stands where it says. */
function patched(before: string, diff: string): string {
  const old = before.split('\n').slice(0, -1);
  const fresh: string[] = [];
  let at = 0;
  for (const line of diff.split('\n').slice(2, -1)) {
    const [, start, count] = /^@@ -(\d+),(\d+) /.exec(line) ?? [];
    if (start !== undefined) {
      const first = Number(count) === 0 ? Number(start) : Number(start) - 1;
      while (at < first) fresh.push(old[at++] ?? '');
    } else if (line.startsWith('+')) fresh.push(line.slice(1));
    else {
      expect(line.slice(1)).toBe(old[at]);
      if (line.startsWith(' ')) fresh.push(line.slice(1));
      at++;
    }
  }
  return [...fresh, ...old.slice(at)].map((line) => `${line}\n`).join('');
}
