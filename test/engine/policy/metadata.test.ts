// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { EngineError } from '../../../engine/error.ts';
import { conftestRule, nativeRule } from '../../../engine/policy/metadata.ts';
import type { Rule } from '../../../engine/policy/rule.ts';
import type { RegoAnnotation } from '../../../engine/toolchain/rego.ts';
import { thrownBy } from '../../expect.ts';
import { annotationOf, moduleOf } from './modules.ts';

const NAME = 'countersign.rules.pod.x';
const CUSTOM = { severity: 'high', controls: ['a'], remedy: 'mend it' };
const native = (part: Partial<RegoAnnotation> = {}): Rule =>
  nativeRule(moduleOf(NAME, ['deny'], { annotations: [annotationOf(NAME, part)] }), 'pod.x');

/** The messages of what is thrown, which has to be POLICY_METADATA with the file of the rule. */
function problems(run: () => unknown): readonly string[] {
  const error = thrownBy(run);
  if (!(error instanceof EngineError)) throw new Error('expected an EngineError', { cause: error });
  expect(error.code).toBe('POLICY_METADATA');
  for (const { location } of error.problems) expect(location).toMatchObject({ line: 1, column: 1 });
  return error.problems.map(({ message }) => message);
}

describe('the metadata of a native rule', () => {
  it('is all of it, dates and parameters too', () => {
    const parameters = { type: 'object' };
    expect(native({ custom: { ...CUSTOM, effective_on: '2026-12-01T00:00:00Z', parameters } })).toEqual({
      code: 'pod.x',
      style: 'native',
      title: 'A title',
      severity: 'high',
      controls: ['a'],
      remedy: 'mend it',
      effectiveOn: '2026-12-01T00:00:00Z',
      parameters,
    });
  });

  it('may name no controls, but must say so', () => {
    expect(native({ custom: { ...CUSTOM, controls: [] } }).controls).toEqual([]);
    expect(problems(() => native({ custom: { severity: 'low', remedy: 'r' } }))).toEqual([
      'metadata "custom.controls" is missing',
    ]);
  });

  it.each([
    ['title', { title: '' }],
    ['description', { description: '' }],
    ['custom.severity', { custom: { ...CUSTOM, severity: 'urgent' } }],
    ['custom.severity', { custom: { ...CUSTOM, severity: 3 } }],
    ['custom.controls', { custom: { ...CUSTOM, controls: 'a' } }],
    ['custom.remedy', { custom: { ...CUSTOM, remedy: '' } }],
    ['custom.remedy', { custom: { ...CUSTOM, remedy: ['r'] } }],
  ])('is refused without %s', (name, part) => {
    expect(problems(() => native(part))).toEqual([`metadata ${JSON.stringify(name)} is missing`]);
  });

  it.each([
    ['custom that is a list', { custom: ['severity'] }],
    ['custom that is text', { custom: 'severity' }],
    ['no custom', { custom: undefined }],
  ])('is refused with %s', (_, part) => {
    const annotation: RegoAnnotation = JSON.parse(JSON.stringify({ ...annotationOf(NAME), ...part }));
    const module = moduleOf(NAME, ['deny'], { annotations: [annotation] });
    expect(problems(() => nativeRule(module, 'pod.x'))).toEqual([
      'metadata "custom.severity" is missing',
      'metadata "custom.controls" is missing',
      'metadata "custom.remedy" is missing',
    ]);
  });

  it.each([
    ['none', []],
    ['that of subpackages', [annotationOf(NAME, { scope: 'subpackages' })]],
    ['that of another package', [annotationOf('countersign.rules.pod.y')]],
    ['that of a rule alone', [annotationOf(NAME, { scope: 'rule', path: `data.${NAME}.deny` })]],
  ])('is refused where it is %s', (_, annotations) => {
    expect(problems(() => nativeRule(moduleOf(NAME, ['deny'], { annotations }), 'pod.x'))).toHaveLength(5);
  });

  it('has a date that is one: an unreadable date would be no date at all', () => {
    expect(problems(() => native({ custom: { ...CUSTOM, effective_on: 'soon' } }))).toEqual([
      'metadata "custom.effective_on" is not a date: "soon"',
    ]);
  });
});

describe('the metadata of a Conftest rule', () => {
  const of = (...annotations: RegoAnnotation[]): Rule =>
    conftestRule(moduleOf('main', ['deny_root'], { annotations }), 'deny_root');

  it('may be missing: severity is medium then, and the title is the code', () => {
    expect(of()).toEqual({
      code: 'main.deny_root',
      style: 'conftest',
      title: 'main.deny_root',
      severity: 'medium',
      controls: [],
    });
  });

  it('is that of the rule, or of its package', () => {
    const ofPackage = annotationOf('main', { title: 'package' });
    const ofRule = annotationOf('main', { scope: 'document', path: 'data.main.deny_root', title: 'rule' });
    expect(of(ofPackage).title).toBe('package');
    expect(of(ofPackage, ofRule)).toMatchObject({ title: 'rule', severity: 'high', remedy: 'mend it' });
  });

  it('leaves out what is malformed', () => {
    const custom = { severity: 'urgent', controls: ['a', 1, null], remedy: 7 };
    expect(of(annotationOf('main', { custom }))).toEqual({
      code: 'main.deny_root',
      style: 'conftest',
      title: 'A title',
      severity: 'medium',
      controls: ['a'],
    });
  });

  it('has a date that is one', () => {
    expect(problems(() => of(annotationOf('main', { custom: { effective_on: '2026-13-01' } })))).toEqual([
      'metadata "custom.effective_on" is not a date: "2026-13-01"',
    ]);
  });
});
