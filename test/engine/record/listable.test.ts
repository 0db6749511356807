// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { EngineError } from '../../../engine/error.ts';
import { inNamespace, refuseUnrecordable, scopesOf } from '../../../engine/record/listable.ts';
import { listSet } from '../../../engine/record/set.ts';
import { readCustomKinds } from '../../../engine/schema/index.ts';
import { expectThrown } from '../../expect.ts';
import { read, textOf } from '../manifest/reader.ts';

const DEFINITION = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: as.a.example}
spec:
  group: a.example
  names: {kind: A}
  scope: Namespaced
  versions: [{name: v1}]
`;
const pod = (metadata: string): string => `apiVersion: v1\nkind: Pod\nmetadata: ${metadata}\n`;

describe('a namespace that objects are applied to', () => {
  it('is given to what is in one and names none, exactly', () => {
    const documents = read(
      [
        pod('{name: a, generation: 9007199254740993}'),
        pod('{name: b, namespace: own}'),
        'apiVersion: v1\nkind: Namespace\nmetadata: {name: c}\n',
        'apiVersion: a.example/v1\nkind: A\n',
        'apiVersion: b.example/v1\nkind: B\nmetadata: {name: e}\n',
        'x: 1\n',
        DEFINITION,
      ].join('---\n'),
    );
    const placed = inNamespace(documents, 'shop', scopesOf(documents));
    expect(placed.map(({ id }) => id?.namespace)).toEqual([
      'shop',
      'own',
      undefined,
      'shop',
      undefined,
      undefined,
      undefined,
    ]);
    expect(textOf(placed[0]?.json ?? Buffer.of())).toBe(
      '{"apiVersion":"v1","kind":"Pod","metadata":{"generation":9007199254740993,"name":"a","namespace":"shop"}}',
    );
    expect(placed[3]?.value).toEqual({
      apiVersion: 'a.example/v1',
      kind: 'A',
      metadata: { namespace: 'shop' },
    });
    expect(placed[1]).toBe(documents[1]);
  });

  it('makes the same set as writing it into each object', () => {
    const bare = read(pod('{name: a}'));
    expect(listSet(inNamespace(bare, 'shop', scopesOf(bare)), false)).toEqual(
      listSet(read(pod('{namespace: shop, name: a}')), false),
    );
  });

  it('knows kinds by definitions from elsewhere', () => {
    const scopes = scopesOf(read('x: 1'), { customKinds: readCustomKinds(read(DEFINITION)) });
    expect(scopes({ apiVersion: 'a.example/v1', kind: 'A', name: '' })).toBe(true);
    expect(scopes({ apiVersion: 'b.example/v1', kind: 'A', name: '' })).toBeUndefined();
  });

  it('takes the Project at its word where nothing else is known, and only there', () => {
    const stated = ['A', 'B', 'C', 'Deployment'].map((kind) => ({
      group: kind === 'Deployment' ? 'apps' : 'a.example',
      kind,
      scope: kind === 'B' ? ('Namespaced' as const) : ('Cluster' as const),
    }));
    const scopes = scopesOf(read(DEFINITION), { stated });
    const of = (apiVersion: string, kind: string) => scopes({ apiVersion, kind, name: '' });
    expect(of('a.example/v1', 'A')).toBe(true); // as its definition says
    expect(of('a.example/v7', 'B')).toBe(true);
    expect(of('a.example/v1', 'C')).toBe(false);
    expect(of('apps/v1', 'Deployment')).toBe(true);
    expect(of('b.example/v1', 'C')).toBeUndefined();
    const bare = read('apiVersion: a.example/v1\nkind: C\nmetadata: {name: c}\n');
    expect(refuseUnrecordable(bare, scopesOf(bare, { stated }))).toBeUndefined();
  });

  it('is given to an object whose metadata is null', () => {
    const documents = read('apiVersion: v1\nkind: Pod\nmetadata: null\n');
    expect(inNamespace(documents, 'shop', scopesOf(documents))[0]?.value).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: 'shop' },
    });
  });

  it('leaves metadata alone that is none', () => {
    const documents = read(pod('[]'));
    expect(inNamespace(documents, 'shop', scopesOf(documents))).toEqual(documents);
  });
});

describe('a record', () => {
  it.each([
    [
      'a generated name',
      pod('{generateName: a-, namespace: x}'),
      '"/Pod/x/a-" has a name that is to be generated, which no record can hold',
    ],
    ['no name', pod('{namespace: x}'), '"/Pod/x/" has no name'],
    ['no namespace', pod('{name: a}'), '"/Pod//a" names no namespace'],
    [
      'a scope that nobody knows',
      'apiVersion: a.example/v1\nkind: A\nmetadata: {name: a}\n',
      '"a.example/A//a" may be in a namespace or not: its kind is not known',
    ],
  ])('is refused for an object of %s', (_, text, message) => {
    const documents = read(text);
    expectThrown(
      () => refuseUnrecordable(documents, scopesOf(documents)),
      EngineError,
      'INPUT_SHAPE',
      message,
    );
  });

  it('is made of objects that have both, of what is in no namespace, and of what is no object', () => {
    const documents = read(
      [
        pod('{name: a, namespace: x, generateName: a-}'),
        'apiVersion: v1\nkind: Namespace\nmetadata: {name: c}\n',
        'apiVersion: a.example/v1\nkind: A\nmetadata: {name: a, namespace: x}\n',
        'x: 1\n',
      ].join('---\n'),
    );
    expect(refuseUnrecordable(documents, scopesOf(documents))).toBeUndefined();
  });
});
