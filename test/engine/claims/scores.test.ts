// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { formOf, scanRecord, scanReport } from '../../../engine/claims/vulnerabilities.ts';

const severityOf = (...scores: unknown[]): unknown => {
  const result = [{ id: 'CVE-1', severity: scores.map((score) => ({ method: 'm', score })) }];
  const { vulnerabilities } = scanRecord({ scanner: { uri: 'x', result }, metadata: {} });
  return Array.isArray(vulnerabilities) ? vulnerabilities[0]?.severity : undefined;
};

describe('a score', () => {
  it.each([
    ['CRITICAL', 'critical'],
    ['High', 'high'],
    ['9.0', 'critical'],
    [10, 'critical'],
    ['8.9', 'high'],
    [7, 'high'],
    ['6.9', 'medium'],
    ['4', 'medium'],
    ['3.9', 'low'],
    ['0.1', 'low'],
    ['0', 'negligible'],
    ['-1', 'unknown'],
    ['1e1', 'unknown'],
    ['CVSS:3.1/AV:N/AC:L', 'unknown'],
    ['', 'unknown'],
    ['toString', 'unknown'],
  ])('%j is %s', (score, severity) => {
    expect(severityOf(score)).toBe(severity);
  });

  it('counts as the worst of several', () => {
    expect(severityOf('low', '9.8', 'medium')).toBe('critical');
    expect(severityOf('x', 'low')).toBe('low');
    expect(severityOf()).toBe('unknown');
  });
});

describe('a result', () => {
  it.each([
    [[], 'result-in-toto'],
    [{ SchemaVersion: 1 }, 'result-trivy'],
    [{ matches: null }, 'result-grype'],
    [{ descriptor: {} }, 'result-grype'],
    [{ runs: [] }, undefined],
    [{}, undefined],
    [null, undefined],
    ['text', undefined],
  ])('%j has the form %s', (result, form) => {
    expect(formOf(result)).toBe(form);
  });

  it('that is not read is no empty list', () => {
    const scan = scanRecord({ scanner: { uri: 'x', result: { runs: [] } }, metadata: {} });
    expect(scan).toEqual({ kind: 'vulnerabilities', format: 'other', scanner: { name: 'x', uri: 'x' } });
  });

  it('of a scanner without a name has one all the same', () => {
    expect(scanReport({ matches: [] })).toMatchObject({ scanner: { name: 'other' }, vulnerabilities: [] });
    const { scanner } = scanRecord({ scanner: { uri: '', result: [] }, metadata: {} });
    expect(scanner).toEqual({ name: 'other' });
  });
});
