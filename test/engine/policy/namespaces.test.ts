// SPDX-License-Identifier: Apache-2.0
// glob.json: answers of Go 1.26's path.Match to patterns by hand and at random, which Conftest 0.71.1 asks for its namespaces.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { EngineError } from '../../../engine/error.ts';
import {
  DEFAULT_NAMESPACES,
  isChosen,
  malformedName,
  parseGlob,
  refuseUnmatched,
} from '../../../engine/policy/namespaces/index.ts';
import type { Rule } from '../../../engine/policy/rule.ts';
import { expectThrown } from '../../expect.ts';

interface Vector {
  readonly pattern: string;
  readonly name: string;
  readonly match: boolean | 'malformed';
}
const VECTORS: readonly Vector[] = JSON.parse(readFileSync(join(import.meta.dirname, 'glob.json'), 'utf8'));

describe('a glob', () => {
  it('matches what Go matches', () => {
    expect(VECTORS.length).toBeGreaterThan(300);
    const answers = VECTORS.map(({ pattern, name }) => parseGlob(pattern)?.(name) ?? 'malformed');
    expect(VECTORS.filter(({ match }, index) => match !== answers[index])).toEqual([]);
  });

  it('takes no time over many stars', () => {
    expect(parseGlob(`${'*a'.repeat(2000)}b`)?.('a'.repeat(4000))).toBe(false);
  });
});

describe('the packages that rules are read from', () => {
  const of = (...names: string[]): { names: string[]; all: boolean } => ({ names, all: false });

  it.each([
    [of('main'), 'main', true],
    [of('main'), 'main.gke', false],
    [of('main.*'), 'main.gke.deep', true],
    [of('main.*'), 'main', false],
    [of('k8s.simple', '*.combined'), 'k8s.combined', true],
    [of('*'), 'a.b', true],
    [of('[a'), 'a', false],
    [{ names: [], all: true }, 'a', true],
    [of(), 'main', false],
  ])('%j take %j: %s', (namespaces, name, is) => {
    expect(isChosen(namespaces, name)).toBe(is);
  });

  it('name what is malformed', () => {
    expect(malformedName(['main', 'a\\', '*'])).toBeUndefined();
    expect(malformedName(['main', '[a', '*['])).toBe('[a');
  });
});

describe('names that no package has', () => {
  const rule = (code: string, style: Rule['style'] = 'conftest'): Rule => ({
    code,
    style,
    title: code,
    severity: 'medium',
    controls: [],
  });
  const rules = [rule('main.gke.deny'), rule('pod.privileged', 'native')];

  it.each([
    [DEFAULT_NAMESPACES],
    [{ names: ['nothing'], all: true }],
    [{ names: ['main.*', 'main.gke'], all: false }],
    [{ names: [], all: false }],
  ])('%j: none', (namespaces) => {
    expect(() => refuseUnmatched(namespaces, rules)).not.toThrow();
  });

  it.each(['main', 'mian.*', 'pod', '*.privileged'])('%j is one', (name) => {
    expectThrown(
      () => refuseUnmatched({ names: ['main.*', name], all: false }, rules),
      EngineError,
      'POLICY_EMPTY',
      `no package with rules is called ${JSON.stringify(name)}`,
    );
  });
});
