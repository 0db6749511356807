// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { verdictOf } from '../../../engine/decide/decision.ts';
import type { Finding } from '../../../engine/decide/finding.ts';
import {
  type Enforcement,
  errorFinding,
  failureFinding,
  findingsOf,
} from '../../../engine/decide/findings.ts';
import { EngineError } from '../../../engine/error.ts';
import type { Effect, Entry, Rule } from '../../../engine/policy/rule.ts';
import { readValue } from '../../../engine/rego/value.ts';

const OBJECT = { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'web' };
const RULE: Rule = {
  code: 'pod.privileged',
  style: 'native',
  title: 'No privileged containers',
  severity: 'high',
  controls: ['pss:baseline'],
};
const MALFORMED = 'the rule did not return a set of messages or of objects with "msg" [POLICY_RESULT]';

const entryOf = (path: string, effect: Effect, rule: Partial<Rule> = {}): Entry => ({
  key: path.replaceAll('.', '/'),
  path: path.split('.'),
  effect,
  rule: { ...RULE, ...rule },
});
const DENY = entryOf('countersign.rules.pod.privileged.deny', 'fail');

interface Options {
  readonly entry?: Entry;
  readonly time?: string;
  readonly enforcement?: Readonly<Record<string, Enforcement>>;
}

/** What a result, written in Rego, becomes. */
const said = (rego: string, { entry = DENY, time, enforcement = {} }: Options = {}): readonly Finding[] =>
  findingsOf([{ entry, value: readValue(rego) }], {
    object: OBJECT,
    time: new Date(time ?? '2026-11-24T12:00:00Z'),
    enforcement,
  });

const finding = (part: Partial<Finding> = {}): Finding => ({
  rule: RULE.code,
  result: 'fail',
  message: 'no',
  severity: 'high',
  controls: ['pss:baseline'],
  object: OBJECT,
  ...part,
});
const error = (part: Partial<Finding> = {}): Finding =>
  finding({ result: 'error', message: MALFORMED, ...part });

describe('a result', () => {
  it('that is a set of texts is one finding each', () => {
    expect(said('{"a", "b"}')).toEqual([finding({ message: 'a' }), finding({ message: 'b' })]);
  });

  it('that is a list counts like a set', () => {
    expect(said('["a"]')).toEqual([finding({ message: 'a' })]);
  });

  it('that is an object may set severity and path', () => {
    expect(said('{{"msg": "no", "severity": "low", "path": "/spec", "other": 1}}')).toEqual([
      finding({ severity: 'low', path: '/spec' }),
    ]);
  });

  it('carries the remedy of its rule', () => {
    const entry = entryOf('a.b.deny', 'fail', { remedy: 'set it to false' });
    expect(said('{"no"}', { entry })).toEqual([finding({ remedy: 'set it to false' })]);
  });

  it('that is empty says nothing', () => {
    expect(said('set()')).toEqual([]);
    expect(said('[]')).toEqual([]);
  });

  it.each([
    ['a severity that there is not', '{{"msg": "no", "severity": "urgent"}}'],
    ['a severity that is no text', '{{"msg": "no", "severity": 3}}'],
    ['a path that is no JSON pointer', '{{"msg": "no", "path": "spec"}}'],
    ['a path that is no text', '{{"msg": "no", "path": ["spec"]}}'],
  ])('with %s keeps what the rule says, and blocks', (_, rego) => {
    expect(said(rego)).toEqual([finding()]);
  });
});

describe('a malformed result is an error, which blocks:', () => {
  it.each([
    'true',
    'false',
    'null',
    '0',
    '9223372036854775807',
    '"no"',
    '{"msg": "no"}',
    '{1: "no"}',
    '{true}',
    '{null}',
    '{7}',
    '{{"message": "no"}}',
    '{{"msg": null}}',
    '{{"msg": 1}}',
    '{{"msg": ["no"]}}',
    '{{1: "no"}}',
    '{["no"]}',
    '{{"no"}}',
    '["no", 1]',
    '{"no", {"msg": 2}}',
  ])('%s', (rego) => {
    expect(said(rego)).toEqual([error()]);
    for (const enforcement of ['deny', 'warn', 'audit'] as const) {
      expect(said(rego, { enforcement: { [RULE.code]: enforcement } })).toEqual([error()]);
    }
    expect(said(rego, { entry: entryOf('a.warn', 'warn') })).toEqual([error()]);
    expect(verdictOf(said(rego), { objects: 1, rules: 1 })).toBe('error');
  });
});

describe('the result of a finding', () => {
  it('is a warning where the rule only warns', () => {
    const entry = entryOf('a.warn', 'warn');
    expect(said('{"no"}', { entry })).toEqual([finding({ result: 'warn' })]);
    expect(said('{"no"}', { entry, enforcement: { [RULE.code]: 'deny' } })).toEqual([
      finding({ result: 'warn' }),
    ]);
  });

  it.each([
    ['deny', 'fail'],
    ['warn', 'warn'],
    ['audit', 'skip'],
  ] as const)('is, where the environment says %s, %s', (enforcement, result) => {
    expect(said('{"no"}', { enforcement: { [RULE.code]: enforcement } })).toEqual([finding({ result })]);
    expect(said('{"no"}', { enforcement: { 'pod.other': 'audit' } })).toEqual([finding()]);
  });

  it('is a warning before its date and a failure from that moment on', () => {
    const entry = entryOf('a.deny', 'fail', { effectiveOn: '2026-12-01T00:00:00Z' });
    const at = (time: string): readonly Finding[] => said('{"no"}', { entry, time });
    expect(at('2026-11-30T23:59:59.999Z')).toEqual([finding({ result: 'warn' })]);
    expect(at('2026-12-01T00:00:00Z')).toEqual([finding()]);
    expect(at('2027-01-01T00:00:00Z')).toEqual([finding()]);
  });
});

describe('Conftest exceptions', () => {
  const conftest = (name: string, effect: Effect): Entry =>
    entryOf(name, effect, { style: 'conftest', code: name });
  const judged = (
    exception: string,
    denied = 'main.deny_root',
    from = 'main.exception',
  ): readonly Finding[] =>
    findingsOf(
      [
        { entry: conftest(denied, denied.includes('warn') ? 'warn' : 'fail'), value: readValue('{"no"}') },
        { entry: conftest(from, 'exception'), value: readValue(exception) },
      ],
      { object: OBJECT, time: new Date(0), enforcement: {} },
    );

  it('lift the rules that they name, in their own package', () => {
    expect(judged('{["root"]}')).toEqual([finding({ rule: 'main.deny_root', result: 'skip' })]);
    expect(judged('{["other", "root"]}', 'main.violation_root')).toEqual([
      finding({ rule: 'main.violation_root', result: 'skip' }),
    ]);
  });

  it.each([
    ['of another name', '{["other"]}', 'main.deny_root', 'main.exception'],
    ['of another package', '{["root"]}', 'main.deny_root', 'team.exception'],
    ['of a package below', '{["root"]}', 'main.deny_root', 'main.sub.exception'],
    ['with the whole name', '{["deny_root"]}', 'main.deny_root', 'main.exception'],
    ['that is no list', '{"root"}', 'main.deny_root', 'main.exception'],
    ['that is no set', 'true', 'main.deny_root', 'main.exception'],
    ['that is an object', '{"root": ["root"]}', 'main.deny_root', 'main.exception'],
    ['whose list holds no texts', '{[1, null]}', 'main.deny_root', 'main.exception'],
  ])('%s lift nothing', (_, exception, denied, from) => {
    expect(judged(exception, denied, from)).toEqual([finding({ rule: denied })]);
  });

  it('lift the plain deny by the empty name only', () => {
    expect(judged('{[""]}', 'main.deny')).toEqual([finding({ rule: 'main.deny', result: 'skip' })]);
    expect(judged('{["root"]}', 'main.deny')).toEqual([finding({ rule: 'main.deny' })]);
  });

  it('lift nothing of an entry that has no name', () => {
    const nameless: Entry = { ...conftest('main.deny_root', 'fail'), path: [] };
    const results = [
      { entry: nameless, value: readValue('{"no"}') },
      { entry: conftest('main.exception', 'exception'), value: readValue('{[""]}') },
    ];
    expect(findingsOf(results, { object: OBJECT, time: new Date(0), enforcement: {} })).toEqual([
      finding({ rule: 'main.deny_root' }),
    ]);
  });

  it('neither lift a warning, nor a native rule, nor what is malformed', () => {
    expect(judged('{["root"]}', 'main.warn_root')).toEqual([
      finding({ rule: 'main.warn_root', result: 'warn' }),
    ]);
    const results = [
      { entry: entryOf('main.deny_root', 'fail'), value: readValue('{"no"}') },
      { entry: conftest('main.deny_user', 'fail'), value: readValue('true') },
      { entry: conftest('main.exception', 'exception'), value: readValue('{["root", "user"]}') },
    ];
    expect(findingsOf(results, { object: OBJECT, time: new Date(0), enforcement: {} })).toEqual([
      finding(),
      error({ rule: 'main.deny_user' }),
    ]);
  });
});

describe('an evaluation error', () => {
  it('is a finding of the policy that names the place in the policy', () => {
    const location = { file: 'a.rego', line: 3, column: 5 };
    expect(
      errorFinding('baseline', new EngineError('POLICY_EVALUATION', 'conflict', { location }), OBJECT),
    ).toEqual({
      rule: 'baseline',
      result: 'error',
      message: 'a.rego:3:5: conflict [POLICY_EVALUATION]',
      severity: 'critical',
      controls: [],
      object: OBJECT,
    });
  });

  it('of a builtin says what failed, and where it is known', () => {
    const location = { file: 'a.rego', line: 3, column: 5 };
    const failure = {
      name: 'to_number',
      code: 'eval_builtin_error' as const,
      message: 'to_number: invalid syntax',
    };
    const expected = {
      rule: 'baseline',
      result: 'error',
      message: 'to_number: invalid syntax [POLICY_EVALUATION]',
      severity: 'critical',
      controls: [],
      remedy: 'an error in a builtin blocks: test the value before the call, or mend the rule',
      object: OBJECT,
    };
    expect(failureFinding('baseline', failure, OBJECT)).toEqual(expected);
    expect(failureFinding('baseline', { ...failure, location }, OBJECT)).toEqual({
      ...expected,
      message: `a.rego:3:5: ${expected.message}`,
    });
  });

  it('gives its hint as the remedy', () => {
    const limit = new EngineError('POLICY_LIMIT', 'too many steps', { hint: 'simplify the rule' });
    expect(errorFinding('p', limit, OBJECT)).toMatchObject({
      message: 'too many steps [POLICY_LIMIT]',
      remedy: 'simplify the rule',
    });
  });
});

describe('every result of a deny rule', () => {
  it('that is not an empty set or list blocks, whatever it is (property)', () => {
    const json = fc.json({ maxDepth: 3 });
    fc.assert(
      fc.property(json, (text) => {
        const value = readValue(text);
        const verdict = verdictOf(said(text), { objects: 1, rules: 1 });
        const isEmpty = Array.isArray(value) && value.length === 0;
        expect(verdict === 'allow').toBe(isEmpty);
      }),
    );
  });
});
