// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { decide } from '../../../engine/decide/decision.ts';
import { compareFindings, type Finding, objectId } from '../../../engine/decide/finding.ts';

const finding = (part: Partial<Finding> = {}): Finding => ({
  rule: 'a.b',
  result: 'fail',
  message: 'm',
  severity: 'low',
  controls: [],
  object: { apiVersion: 'v1', kind: 'Pod', namespace: 'x', name: 'p' },
  ...part,
});
const at = (file: string, line: number, column: number): Partial<Finding> => ({
  location: { file, line, column },
});

describe('the id of an object', () => {
  it('is group, kind, namespace and name, each of which may be empty', () => {
    const id = (apiVersion: string, namespace?: string): string =>
      objectId({ apiVersion, kind: 'K', name: 'n', ...(namespace === undefined ? {} : { namespace }) });
    expect(id('v1', 'x')).toBe('/K/x/n');
    expect(id('apps/v1', 'x')).toBe('apps/K/x/n');
    expect(id('apps/v1')).toBe('apps/K//n');
    expect(objectId({ apiVersion: '', kind: '', name: 'a.yaml#0' })).toBe('///a.yaml#0');
  });
});

describe('the order of findings', () => {
  it('is by object, rule, path, message and place, each bytewise', () => {
    const ordered = [
      finding({ object: { apiVersion: 'apps/v1', kind: 'A', name: 'a' }, rule: 'z', message: 'z' }),
      finding({ object: { apiVersion: 'apps/v1', kind: 'A', name: 'b' } }),
      finding({ rule: 'A' }),
      finding({ rule: 'a', message: 'z' }),
      finding({ rule: 'a', path: '/a', message: 'y' }),
      finding({ rule: 'a', path: '/b', message: 'x' }),
      finding({ rule: 'b', message: 'm' }),
      finding({ rule: 'b', message: 'm', ...at('a.yaml', 2, 11) }),
      finding({ rule: 'b', message: 'm', ...at('a.yaml', 10, 1) }),
      finding({ rule: 'b', message: 'm', ...at('a.yaml', 10, 2) }),
      finding({ rule: 'b', message: 'm', ...at('b.yaml', 1, 1) }),
      finding({ rule: 'b', message: '\uffff' }),
      finding({ rule: 'b', message: '\u{10000}' }),
    ];
    const sorted = [...ordered].sort(compareFindings);
    const objectFirst = sorted.findIndex(({ object }) => object.kind === 'A');
    expect([...sorted.slice(objectFirst), ...sorted.slice(0, objectFirst)]).toEqual(ordered);
    expect([...ordered].reverse().sort(compareFindings)).toEqual(sorted);
  });
});

describe('a Decision', () => {
  it('has its findings in order and the verdict that follows from them', () => {
    const parts = {
      id: '019ab500-0000-7000-8000-000000000001',
      phase: 'check',
      operations: ['CREATE'],
      enforced: true,
      passed: { 'a.b': 0 },
      evaluated: { objects: 1, rules: 1 },
      policies: [],
      inputDigest: 'i',
      setDigest: 's',
      contextDigest: 'c',
      time: '2026-11-24T12:00:00.000Z',
    } as const;
    const [first, second] = [finding({ message: 'a', result: 'warn' }), finding({ message: 'b' })];
    expect(decide({ ...parts, findings: [second, first] })).toEqual({
      apiVersion: 'countersign.dev/v1alpha1',
      kind: 'Decision',
      ...parts,
      verdict: 'deny',
      findings: [first, second],
    });
  });
});
