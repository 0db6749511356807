// SPDX-License-Identifier: Apache-2.0
// What structural schemas say of values. formats.json is what kube-openapi's strfmt.Default.Validates says of each text (v0.0.0-20260721132016).
import { describe, expect, it } from '@jest/globals';
import { EngineError } from '../../../engine/error.ts';
import { formatOf } from '../../../engine/schema/crd/format.ts';
import { readCustomKinds } from '../../../engine/schema/index.ts';
import { expectThrown } from '../../expect.ts';
import { read } from '../manifest/reader.ts';
import formats from './formats.json' with { type: 'json' };

const definitions = (spec: string) =>
  readCustomKinds(
    read(
      `{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: as.a.example}, spec: {group: a.example, names: {kind: A}, scope: Cluster, versions: [{name: v1, schema: {openAPIV3Schema: {type: object, properties: {spec: ${spec}}}}}]}}`,
    ),
  );

function faultsOf(schema: string, value: string): readonly string[] {
  const kinds = definitions(schema);
  return read(`apiVersion: a.example/v1\nkind: A\nspec: ${value}\n`)
    .flatMap((document) => kinds.faultsOf(document))
    .map(({ pointer, message }) => `${pointer}: ${message}`);
}

describe('formats', () => {
  it.each(Object.entries(formats))('of %s are those of Kubernetes', (name, texts) => {
    const format = formatOf(name);
    const said = Object.fromEntries(Object.keys(texts).map((text) => [text, format?.(text)]));
    expect(said).toEqual(texts);
  });

  it.each(['email', 'uri', 'hostname', 'int32', 'anything', 5, undefined])(
    'that are left out: %s',
    (name) => {
      expect(formatOf(name)).toBeUndefined();
    },
  );

  it('are looked at with and without dashes, in texts only', () => {
    for (const name of ['date-time', 'datetime'])
      expect(faultsOf(`{type: string, format: ${name}}`, '"2024-02-30T00:00:00Z"')).toEqual([
        `/spec: must match format "${name}"`,
      ]);
    expect(faultsOf('{type: integer, format: int32}', '9223372036854775807')).toEqual([]);
    expect(faultsOf('{type: string, format: email}', 'none')).toEqual([]);
  });
});

describe('patterns', () => {
  it.each([
    ['^a+$', 'aaa', []],
    ['^a+$', 'ab', ['/spec: must match pattern "^a+$"']],
    ['b', 'abc', []],
    ['(?i)^A$', 'a', []],
    ['^\\\\p{Greek}+$', 'αβγ', []],
    ['\\\\Aa\\\\z', 'ab', ['/spec: must match pattern "\\Aa\\z"']],
    ['^[[:alnum:]]+$', 'a-b', ['/spec: must match pattern "^[[:alnum:]]+$"']],
    ['^.$', '😀', []],
  ])('are those of Go: %s of %s', (pattern, text, expected) => {
    expect(faultsOf(`{type: string, pattern: "${pattern}"}`, `"${text}"`)).toEqual(expected);
  });

  it('cannot hang', () => {
    const text = 'a'.repeat(100_000);
    const began = performance.now();
    expect(faultsOf('{type: string, pattern: "^(([a-z]+)+)+-$"}', text)).toHaveLength(1);
    expect(faultsOf('{type: string, pattern: "(a*)*b"}', text)).toHaveLength(1);
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it('of one object have a budget, and beyond it there is no answer, not a pass', () => {
    const schema = '{type: array, items: {type: string, not: {pattern: "(.{900}){1}x"}}}';
    const list = JSON.stringify(Array(10).fill('a'.repeat(100_000)));
    expectThrown(() => faultsOf(schema, list), EngineError, 'INPUT_TOO_LARGE');
    expect(faultsOf(schema, '[a]')).toEqual([]);
  });

  it.each(['(?=a)', '(a', 'a{1001}', '\\\\Z', '((a{100}){100}){100}'])(
    'that Go refuses are no schema: %s',
    (pattern) => {
      expectThrown(() => faultsOf(`{type: string, pattern: "${pattern}"}`, 'a'), EngineError, 'INPUT_SHAPE');
    },
  );

  it('count in combinations', () => {
    const schema = '{type: string, anyOf: [{pattern: "^a"}, {format: ipv4}]}';
    expect(faultsOf(schema, 'abc')).toEqual([]);
    expect(faultsOf(schema, '10.0.0.1')).toEqual([]);
    expect(faultsOf(schema, 'x')).toContain('/spec: must match a schema in anyOf');
    expect(faultsOf('{type: string, not: {pattern: "^a"}}', 'abc')).toEqual(['/spec: must NOT be valid']);
  });
});

describe('a null', () => {
  it.each([
    ['{type: string}', ["/spec: must have required property 'a'"]],
    ['{type: string, nullable: true}', []],
    ['{type: string, default: x}', []],
  ])('where %s is required', (own, wanted) => {
    expect(faultsOf(`{type: object, required: [a], properties: {a: ${own}}}`, '{a: null}')).toEqual(wanted);
  });
});

describe('limits', () => {
  it.each([
    ['{type: integer, maximum: 10}', '9007199254740993', ['/spec: must be <= 10']],
    ['{type: integer, minimum: 10, exclusiveMinimum: true}', '10', ['/spec: must be > 10']],
    ['{type: string, minLength: 2, maxLength: 2}', '"😀"', ['/spec: must NOT have fewer than 2 characters']],
    [
      '{type: array, items: {type: string}, maxItems: 1}',
      '[a, b]',
      ['/spec: must NOT have more than 1 items'],
    ],
    [
      '{type: object, maxProperties: 1, additionalProperties: {type: string}}',
      '{a: b, c: d}',
      ['/spec: must NOT have more than 1 properties'],
    ],
    ['{type: integer, multipleOf: 5}', '7', ['/spec: must be multiple of 5']],
    ['{type: string, enum: [a, b]}', 'c', ['/spec: must be equal to one of the allowed values: ["a","b"]']],
  ])('hold: %s', (schema, value, expected) => {
    expect(faultsOf(schema, value)).toEqual(expected);
  });
});

describe('lists', () => {
  const MAP =
    '{type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [port, protocol], items: {type: object, properties: {port: {type: integer}, protocol: {type: string, default: TCP}}}}';

  it.each([
    [
      '{type: array, x-kubernetes-list-type: set, items: {type: string}}',
      '[a, b, a]',
      ['/spec/2: is in the list already'],
    ],
    ['{type: array, x-kubernetes-list-type: atomic, items: {type: string}}', '[a, a]', []],
    ['{type: array, items: {type: string}}', '[a, a]', []],
    [MAP, '[{port: 1}, {port: 1, protocol: UDP}]', []],
    [MAP, '[{port: 1}, {protocol: TCP, port: 1}]', ['/spec/1: has the same port, protocol as another']],
  ])('hold no item twice: %s', (schema, value, expected) => {
    expect(faultsOf(schema, value)).toEqual(expected);
  });
});

describe('rules in CEL', () => {
  it('are known, wherever they stand', () => {
    const rules = 'x-kubernetes-validations: [{rule: "self > 1"}]';
    const has = (schema: string): boolean => definitions(schema).hasRules('a.example/v1', 'A');
    expect(has(`{type: integer, ${rules}}`)).toBe(true);
    expect(has(`{type: array, items: {type: object, properties: {x: {type: integer, ${rules}}}}}`)).toBe(
      true,
    );
    expect(has('{type: integer}')).toBe(false);
    expect(definitions('{type: integer}').hasRules('a.example/v2', 'A')).toBe(false);
  });
});
