// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { literal, matches, parseGlob } from '../../../../engine/policy/bundle/manifest/glob.ts';
import { isV0, statedVersions } from '../../../../engine/policy/bundle/manifest/index.ts';
import { openRegoToolchain } from '../../../../engine/toolchain/rego.ts';
import { read } from './make.ts';

const toolchain = openRegoToolchain({ directory: resolve('engine/toolchain/built'), deadlineMs: 60_000 });
afterAll(() => toolchain.close());

function matchOf(pattern: string, text: string): boolean | 'refused' {
  try {
    return matches(parseGlob(pattern), text);
  } catch (error) {
    if (error instanceof SyntaxError) return 'refused';
    throw error;
  }
}

const PIECES = ['*', '**', '?', '[', ']', '[!', '-', '{', '}', ',', '\\', '!', 'a', 'b', 'c', '/', 'é', '😀'];
const TEXT = ['a', 'b', 'c', '/', '-', ',', ']', '}', '\\', '!', 'é', '😀'];
const string = (from: readonly string[], maxLength: number) =>
  fc.array(fc.constantFrom(...from), { maxLength }).map((parts) => parts.join(''));

describe('a pattern of files', () => {
  it("matches what OPA's own matcher matches, and is refused where that one refuses it", async () => {
    const pairs = fc.sample(fc.tuple(string(PIECES, 7), string(TEXT, 5)), { numRuns: 3_000, seed: 4 });
    const input = JSON.stringify(pairs);
    // A failing builtin is undefined, so that what is refused is in neither.
    const query = '{i: r | some i, [p, t] in input; r := glob.match(p, null, t)}';
    const [answer] = (await toolchain.eval([], { query, input })).result;
    const theirs = JSON.parse(answer?.expressions[0]?.value ?? '');
    const ours = Object.fromEntries(
      pairs.flatMap(([pattern, text], index) => {
        const match = matchOf(pattern, text);
        return match === 'refused' ? [] : [[`${index}`, match]];
      }),
    );
    expect(Object.values(ours).filter(Boolean).length).toBeGreaterThan(100);
    expect(Object.keys(ours).length).toBeLessThan(pairs.length);
    expect(ours).toEqual(theirs);
  });

  it('costs no more than its length times that of the text', () => {
    const started = performance.now();
    expect(matchOf(`${'*a'.repeat(400)}b`, 'a'.repeat(2_000))).toBe(false);
    expect(matchOf(`${'{a,'.repeat(300)}${'}'.repeat(300)}`, 'a')).toBe(true);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe('the version of Rego', () => {
  const versionsOf = async (manifest: object, paths: readonly string[]) => {
    const files = Object.fromEntries(paths.map((path) => [path, 'package a\n']));
    const { sources } = await read({ '.manifest': JSON.stringify(manifest), ...files });
    return sources.map(({ v0 }) => v0);
  };

  it('is that of the bundle, but for files that a pattern names', async () => {
    const paths = ['a/new.rego', 'a/old.rego', 'b/old.rego'];
    expect(await versionsOf({}, paths)).toEqual([undefined, undefined, undefined]);
    expect(await versionsOf({ rego_version: 0 }, paths)).toEqual([true, true, true]);
    expect(await versionsOf({ rego_version: 1, file_rego_versions: { '/a/old.rego': 0 } }, paths)).toEqual([
      false,
      true,
      false,
    ]);
    expect(await versionsOf({ file_rego_versions: { '*/old.rego': 0 } }, paths)).toEqual([
      undefined,
      true,
      true,
    ]);
    expect(await versionsOf({ rego_version: 0, file_rego_versions: { 'a/*': 1 } }, paths)).toEqual([
      false,
      false,
      true,
    ]);
  });

  it('is that of the first pattern in order', async () => {
    expect(await versionsOf({ file_rego_versions: { '/a/?.rego': 1, '/a/*': 0 } }, ['a/x.rego'])).toEqual([
      true,
    ]);
    expect(await versionsOf({ file_rego_versions: { '/a/?.rego': 0, '/a/*': 1 } }, ['a/x.rego'])).toEqual([
      false,
    ]);
  });

  it('is stated by paths alone, whatever characters they have', async () => {
    const odd = 'a[1]{x,y}*?\\.rego';
    expect(matchOf(literal(odd), odd)).toBe(true);
    const manifest = statedVersions([
      { path: 'a[1]/x.rego', v0: true },
      { path: 'b.rego', v0: false },
    ]);
    expect(manifest).toEqual({
      rego_version: 1,
      file_rego_versions: { '/a\\[1\\]/x.rego': 0, 'a\\[1\\]/x.rego': 0 },
    });
    expect(await versionsOf(manifest, ['a[1]/x.rego', 'b.rego', 'a1/x.rego'])).toEqual([true, false, false]);
    expect(statedVersions([{ path: 'b.rego', v0: true }])).toEqual({ rego_version: 0 });
    expect(statedVersions([])).toEqual({ rego_version: 1 });
    expect(isV0(undefined, 'b.rego')).toBeUndefined();
  });
});
