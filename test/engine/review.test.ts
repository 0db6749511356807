// SPDX-License-Identifier: Apache-2.0
// The straight line of one change, with policies that are functions: what is counted, kept back, inherited and hidden.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Change } from '../../engine/change.ts';
import { EngineError } from '../../engine/error.ts';
import { type Document, idOf, type JsonObject } from '../../engine/manifest/index.ts';
import type { Policy } from '../../engine/policy/policy.ts';
import type { Rule, Style } from '../../engine/policy/rule.ts';
import type { RegoValue } from '../../engine/rego/index.ts';
import { type Bench, openJudge } from '../../engine/review.ts';
import { openSchema } from '../../engine/schema/index.ts';
import { NO_PARTS } from './judge.ts';

const FACTS = { time: new Date('2026-11-24T12:00:00Z'), id: '019ab500-0000-7000-8000-000000000001' };

type Say = (input: JsonObject) => RegoValue;

/** A policy of one style whose rules are functions of their input; what throws, throws. */
function policyOf(style: Style, says: Readonly<Record<string, Say>>, part: Partial<Policy> = {}): Policy {
  const rules = Object.keys(says).map(
    (code): Rule => ({ code, style, title: code, severity: 'high', controls: [] }),
  );
  return {
    reference: { name: `a ${style} policy`, revision: '', digest: '', sources: '' },
    styles: [style],
    rules,
    parts: NO_PARTS,
    setData: () => undefined,
    removeData: () => undefined,
    evaluate: (_, bytes) => {
      const input: JsonObject = JSON.parse(Buffer.from(bytes).toString());
      const results = rules.map((rule) => ({
        entry: { key: rule.code, path: ['main', rule.code], effect: 'fail' as const, rule },
        value: says[rule.code]?.(input) ?? [],
      }));
      return { results, failures: [] };
    },
    ...part,
  };
}

const documentOf = (value: JsonObject): Document => ({
  json: Buffer.from(JSON.stringify(value)),
  value,
  id: idOf(value),
  file: 'admission',
  line: 1,
  index: 0,
  pointer: '',
});

const bench = (...policies: Policy[]): Bench => ({ policies, enforcement: {} });
const POD = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } };
const change = (objects: readonly JsonObject[], part: Partial<Change> = {}): Change => ({
  phase: 'check',
  operation: 'CREATE',
  documents: objects.map(documentOf),
  sources: [],
  ...part,
});
const decide = (of: Bench, what: Change): ReturnType<ReturnType<typeof openJudge>['review']>['decision'] =>
  openJudge(of).review(what, FACTS).decision;

const limit = (): never => {
  throw new EngineError('POLICY_LIMIT', 'too many steps');
};

describe('what is said beside the rules', () => {
  const quiet = policyOf('conftest', { 'main.deny': () => [] });

  it("is Kubernetes' schema, which counts as no rule, and what was read in an unexpected way", () => {
    const [document] = change([{ ...POD, spec: { hostPid: true } }]).documents;
    if (document === undefined) throw new Error('no document');
    const remarks = [{ pointer: '/spec/hostPid', message: '"yes" is read as true', hint: 'quote it' }];
    const reference = { name: 'crds', revision: '', digest: '', sources: '' };
    const schema = { ...openSchema({ enforcement: {} }), references: [reference] };
    const decision = decide(
      { ...bench(quiet), schema },
      change([], { documents: [{ ...document, remarks }] }),
    );
    expect(decision.findings.map(({ rule, result, path }) => `${rule} ${result} ${path}`)).toEqual([
      'manifest.implied-type warn /spec/hostPid',
      'schema.unknown-field fail /spec/hostPid',
    ]);
    expect(decision).toMatchObject({
      verdict: 'deny',
      evaluated: { objects: 1, rules: 1 },
      passed: { 'main.deny': 1 },
      policies: [quiet.reference, reference],
    });
  });

  it('is told of a hundred values that were read as another type, and of how many more there are', () => {
    const [document] = change([POD]).documents;
    if (document === undefined) throw new Error('no document');
    const remarks = Array.from({ length: 200_000 }, (_, index) => ({
      pointer: `/data/${index}`,
      message: '"n" is read as false',
      hint: 'quote it',
    }));
    const { findings } = decide(bench(quiet), { ...change([]), documents: [{ ...document, remarks }] });
    expect(findings).toHaveLength(101);
    const object = { apiVersion: 'v1', kind: 'Pod', name: 'a' };
    const base = { rule: 'manifest.implied-type', result: 'warn', severity: 'medium', controls: [], object };
    expect(findings.filter(({ path }) => path === '' || path === '/data/99')).toEqual([
      { ...base, message: '199900 more values are read as another type than is written', path: '' },
      { ...base, message: '"n" is read as false', remedy: 'quote it', path: '/data/99' },
    ]);
  });

  it('may be more than a call takes arguments', () => {
    const many = policyOf('conftest', {
      'main.deny': () => Array.from({ length: 200_000 }, (_, index) => `no ${index}`),
    });
    expect(decide(bench(many), change([POD])).findings).toHaveLength(200_000);
  });

  it('never makes an allow where no rule ran', () => {
    const decision = decide({ ...bench(), schema: openSchema({ enforcement: {} }) }, change([POD]));
    expect(decision).toMatchObject({ verdict: 'error', findings: [] });
  });
});

describe('what passed', () => {
  const quiet = (): RegoValue => [];

  it('is what ran and returned: a limit passed on one object is no pass of any rule for it', () => {
    const policy = policyOf('native', {
      first: quiet,
      second: (input) => (JSON.stringify(input).includes('evil') ? limit() : []),
    });
    const decision = decide(bench(policy), change([POD, { ...POD, metadata: { name: 'evil' } }]));
    expect(decision).toMatchObject({
      verdict: 'error',
      passed: { first: 1, second: 1 },
      evaluated: { objects: 2, rules: 2 },
    });
  });

  it('is nothing where nothing returned', () => {
    expect(decide(bench(policyOf('native', { first: limit })), change([POD]))).toMatchObject({
      verdict: 'error',
      passed: { first: 0 },
      evaluated: { objects: 1, rules: 0 },
    });
  });

  it('is not a Conftest rule on a DELETE, which it never saw; that is said', () => {
    const gone = change([POD], { phase: 'admission', operation: 'DELETE' });
    expect(decide(bench(policyOf('conftest', { 'main.deny': () => ['no'] })), gone)).toMatchObject({
      verdict: 'allow',
      passed: { 'main.deny': 0 },
      findings: [
        {
          rule: 'policy.not-applicable',
          result: 'skip',
          message: 'no rule judges a DELETE: Conftest rules see only what is to be',
        },
      ],
    });
    const both = bench(
      policyOf('conftest', { 'main.deny': () => ['no'] }),
      policyOf('native', { first: quiet }),
    );
    expect(decide(both, gone)).toMatchObject({
      verdict: 'allow',
      passed: { first: 1, 'main.deny': 0 },
      evaluated: { objects: 1, rules: 1 },
      findings: [],
    });
  });

  it('of no policies is an error, whatever the operation', () => {
    for (const operation of ['CREATE', 'DELETE'] as const)
      expect(decide(bench(), change([POD], { operation }))).toMatchObject({ verdict: 'error' });
  });
});

describe('a document that is no Kubernetes object', () => {
  it('fails where rules speak of Kubernetes objects, and is no obstacle for the others', () => {
    const thing = change([{ kind: 'Pod' }]);
    expect(decide(bench(policyOf('native', { rule: () => [] })), thing)).toMatchObject({
      verdict: 'deny',
      findings: [{ rule: 'manifest.kind', result: 'fail', severity: 'high' }],
    });
    expect(decide(bench(policyOf('conftest', { 'main.deny': () => [] })), thing)).toMatchObject({
      verdict: 'allow',
      findings: [],
    });
  });
});

describe('a value of a Secret', () => {
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  const secretOf = (value: string, part: JsonObject = {}): JsonObject => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'a' },
    data: { key: encode(value) },
    ...part,
  });
  const updated = change([secretOf('new-hunter2')], {
    phase: 'admission',
    operation: 'UPDATE',
    oldObject: documentOf(secretOf('old-hunter2', { stringData: { other: 'plain-hunter2' } })).json,
  });

  it('is not seen by a native rule, neither before nor after an UPDATE', () => {
    let seen = '';
    const policy = policyOf('native', {
      rule: (input) => {
        seen = JSON.stringify(input);
        return [];
      },
    });
    decide(bench(policy), updated);
    for (const value of ['new-hunter2', 'old-hunter2', 'plain-hunter2'])
      for (const text of [value, encode(value)]) expect(seen).not.toContain(text);
    expect(JSON.parse(seen).oldObject.data).toEqual({ key: { class: 'base64', length: 11 } });
  });

  it('does not enter the digest of the input: two values of one length have the same', () => {
    const [one, other] = ['old-hunter2', 'old-hunter3'].map((value) => {
      const oldObject = documentOf(secretOf(value)).json;
      return decide(bench(policyOf('native', { rule: () => [] })), { ...updated, oldObject }).inputDigest;
    });
    expect(one).toBe(other);
  });

  const said = (object: JsonObject, message: string, path = '/data'): unknown =>
    decide(bench(policyOf('conftest', { 'main.deny': () => [{ msg: message, path }] })), change([object]))
      .findings[0];

  it.each([
    ['as it stands', `is ${encode('hunter2')}`, 'is [redacted]'],
    ['decoded', 'the password "hunter2" is weak', 'the password "[redacted]" is weak'],
    ['twice, and within a word', 'hunter2xhunter2', '[redacted]x[redacted]'],
  ])('is hidden in what a rule says: %s', (_, message, expected) => {
    expect(said(secretOf('hunter2'), message)).toMatchObject({ message: expected });
  });

  it('is hidden in the path, in the line of a key, as JSON escapes it, and where the Secret is malformed', () => {
    expect(said(secretOf('hunter2'), 'x', '/data/hunter2')).toMatchObject({ path: '/data/[redacted]' });
    const pem = '-----BEGIN KEY-----\nMIIBVQIBADANBg\n-----END KEY-----\n';
    expect(said(secretOf(pem), 'line MIIBVQIBADANBg')).toMatchObject({ message: 'line [redacted]' });
    expect(said(secretOf('a"b\\c'), `got ${JSON.stringify('a"b\\c')}`)).toMatchObject({
      message: 'got "[redacted]"',
    });
    expect(said(secretOf('', { data: ['hunter2'] }), 'is hunter2')).toMatchObject({
      message: 'is [redacted]',
    });
    expect(said(secretOf('', { stringData: { a: 'hunter2' } }), `is ${encode('hunter2')}`)).toMatchObject({
      message: 'is [redacted]',
    });
  });

  it('is hidden where kubectl kept it', () => {
    const applied = JSON.stringify(secretOf('hunter2'));
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': applied };
    const object = secretOf('other', { metadata: { name: 'a', annotations } });
    expect(said(object, 'was hunter2')).toMatchObject({ message: 'was [redacted]' });
    expect(said(object, `was ${applied}`)).toMatchObject({ message: 'was [redacted]' });
  });

  it('is hidden where what kubectl kept is no JSON, or keeps itself', () => {
    const key = 'kubectl.kubernetes.io/last-applied-configuration';
    const keeping = (applied: string): JsonObject =>
      secretOf('other', { metadata: { name: 'a', annotations: { [key]: applied } } });
    expect(said(keeping('{hunter2'), 'was {hunter2')).toMatchObject({ message: 'was [redacted]' });
    expect(said(keeping(JSON.stringify(keeping('{}'))), 'fine')).toMatchObject({ message: 'fine' });
  });

  it('that is short is hidden as a word, and leaves the rest readable', () => {
    expect(said(secretOf('a'), 'a is a bad password')).toMatchObject({
      message: '[redacted] is [redacted] bad password',
    });
  });

  it('that was there before, or is in another object of the set, is hidden as well', () => {
    const policy = policyOf('conftest', { 'main.deny': () => ['old-hunter2', 'plain-hunter2', 'fine'] });
    expect(decide(bench(policy), updated).findings.map(({ message }) => message)).toEqual([
      '[redacted]',
      '[redacted]',
      'fine',
    ]);
    const set = change([POD, secretOf('hunter2')]);
    const quoting = policyOf('conftest', { 'main.deny': () => ['hunter2'] });
    expect(decide(bench(quoting), set).findings.map(({ message }) => message)).toEqual([
      '[redacted]',
      '[redacted]',
    ]);
  });

  it('of no Secret is said: a ConfigMap has none', () => {
    expect(said({ apiVersion: 'v1', kind: 'ConfigMap', data: { a: 'hunter2' } }, 'hunter2')).toMatchObject({
      message: 'hunter2',
    });
  });

  it('is hidden however many there are, and whatever characters they are of', () => {
    const lines = Array.from({ length: 20_000 }, (_, index) => `line-of-a-key-${index}`).join('\n');
    expect(said(secretOf(lines), 'has line-of-a-key-19999')).toMatchObject({ message: 'has [redacted]' });
    expect(said(secretOf('$&'), 'is $& here')).toMatchObject({ message: 'is [redacted] here' });
    expect(said(secretOf('redacted'), 'is redacted')).toMatchObject({ message: 'is [redacted]' });
    fc.assert(
      fc.property(fc.string({ minLength: 4, unit: 'grapheme' }), (value) => {
        expect(said(secretOf(value), `is ${value}`)).toMatchObject({
          message: expect.not.stringContaining(`is ${value}`),
        });
      }),
    );
  });
});
