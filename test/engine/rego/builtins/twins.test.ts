// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { TWINS } from '../../../../engine/rego/builtins/index.ts';

const FOLDER = join(import.meta.dirname, '../vectors');
/** How many of the calls that OPA answers a twin may leave to OPA: what is left starts a program of 40 MB. */
const LEFT_MAX: Readonly<Record<string, number>> = {
  format_int: 0.25,
  'object.subset': 0.35,
  'semver.compare': 0,
  'semver.is_valid': 0,
  'strings.any_prefix_match': 0,
  'strings.any_suffix_match': 0,
  'strings.count': 0,
  'strings.split_n': 0.12,
  'time.parse_duration_ns': 0.35,
  'time.parse_rfc3339_ns': 0.35,
  'units.parse': 0.2,
  'units.parse_bytes': 0.2,
};

/** Calls with what OPA's own builtin answers, null where it fails; made by vectors/twins/main.go from a seed. */
const vectorsOf = (name: string): readonly (readonly (string | null)[])[] =>
  readFileSync(join(FOLDER, `${name}.jsonl`), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

function answer(name: string, parameters: readonly string[]): string | undefined {
  return TWINS.get(name)?.(parameters, undefined);
}

/** A text of a value, whatever spaces are in it. */
const plain = (text: string): string => JSON.stringify(JSON.parse(text));
const same = (ours: string, theirs: string): boolean => ours === theirs || plain(ours) === plain(theirs);

describe('twins', () => {
  it('are all held to OPA here, but for sprintf, which has its own test, and those that cannot differ', () => {
    const others = ['sprintf', 'time.now_ns', 'trace'];
    expect([...TWINS.keys()].filter((name) => !others.includes(name)).sort()).toEqual(
      Object.keys(LEFT_MAX).sort(),
    );
  });

  it.each(Object.entries(LEFT_MAX))('%s answers as OPA does, or leaves the call to it', (name, leftMax) => {
    const vectors = vectorsOf(name);
    const calls = vectors.map((line) => {
      const parameters = line.slice(0, -1).map(String);
      return { parameters, theirs: line.at(-1) ?? undefined, ours: answer(name, parameters) };
    });
    const answered = calls.filter(({ theirs }) => theirs !== undefined);
    expect(answered.filter(({ ours }) => ours !== undefined).length).toBeGreaterThanOrEqual(2_000);
    const different = calls.filter(
      ({ theirs, ours }) => ours !== undefined && (theirs === undefined || !same(ours, theirs)),
    );
    expect(different).toEqual([]);
    const left = answered.filter(({ ours }) => ours === undefined).length / answered.length;
    expect(left).toBeLessThanOrEqual(leftMax);
  });

  it('refuse the comparison of versions that OPA never returns from', () => {
    const version = (end: number): string => `"1.0.0-9999999999999999999${end}"`;
    expect(() => answer('semver.compare', [version(1), version(2)])).toThrow(RangeError);
    expect(answer('semver.compare', [version(1), version(1)])).toBe('0');
    expect(
      answer('semver.compare', ['"1.0.0-99999999999999999999.a"', '"1.0.0-99999999999999999998.b"']),
    ).toBe('-1');
  });

  it('take no time over what is long', () => {
    const long = JSON.stringify('1'.repeat(400_000));
    for (const name of TWINS.keys()) {
      if (name !== 'time.now_ns' && name !== 'sprintf')
        expect(() => answer(name, [long, long, '1'])).not.toThrow();
    }
    const many = `[${Array.from({ length: 20_000 }, (_, index) => `"a${index}"`).join()}]`;
    expect(answer('strings.any_prefix_match', [many, many])).toBeUndefined();
    expect(answer('object.subset', [many, many])).toBeUndefined();
  });
});
