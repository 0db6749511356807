// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { verdictOf } from '../../../engine/decide/decision.ts';
import { compareFindings, type Finding, type FindingResult } from '../../../engine/decide/finding.ts';

const finding = (result: FindingResult, message = 'm'): Finding => ({
  rule: 'a.b',
  result,
  message,
  severity: 'low',
  controls: [],
  object: { apiVersion: 'v1', kind: 'Pod', name: 'p' },
});
const results = fc.array(fc.constantFrom<FindingResult>('fail', 'warn', 'error', 'skip'), { maxLength: 8 });

describe('the verdict', () => {
  it('is never allow where nothing was evaluated', () => {
    expect(verdictOf([], { objects: 0, rules: 3 })).toBe('error');
    expect(verdictOf([], { objects: 3, rules: 0 })).toBe('error');
    expect(verdictOf([], { objects: 1, rules: 1 })).toBe('allow');
  });

  it('is error over deny over allow', () => {
    fc.assert(
      fc.property(results, (kinds) => {
        const verdict = verdictOf(
          kinds.map((kind) => finding(kind)),
          { objects: 1, rules: 1 },
        );
        expect(verdict).toBe(kinds.includes('error') ? 'error' : kinds.includes('fail') ? 'deny' : 'allow');
      }),
    );
  });

  it('never gets better by one more finding', () => {
    const rank = { allow: 0, deny: 1, error: 2 };
    fc.assert(
      fc.property(results, results, (some, more) => {
        const evaluated = { objects: 1, rules: 1 };
        const before = verdictOf(
          some.map((kind) => finding(kind)),
          evaluated,
        );
        const after = verdictOf(
          [...some, ...more].map((kind) => finding(kind)),
          evaluated,
        );
        expect(rank[after]).toBeGreaterThanOrEqual(rank[before]);
      }),
    );
  });
});

describe('the order of findings', () => {
  it('does not depend on the order in which they came', () => {
    const all = ['c', 'a', 'b'].map((message) => finding('fail', message));
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { minLength: 3 }), (shuffled) => {
        expect([...shuffled].sort(compareFindings).map(({ message }) => message)).toEqual(['a', 'b', 'c']);
      }),
    );
  });
});
