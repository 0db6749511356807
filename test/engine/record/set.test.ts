// SPDX-License-Identifier: Apache-2.0

import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EngineError } from '../../../engine/error.ts';
import { type Document, readDocuments } from '../../../engine/manifest/index.ts';
import { canonicalBytes } from '../../../engine/record/canonical.ts';
import { digestForm, reduceSecret } from '../../../engine/record/secret.ts';
import { listedDigest, listSet, refuseDuplicates } from '../../../engine/record/set.ts';
import { openYamlReader } from '../../../engine/toolchain/yaml.ts';
import { expectThrown } from '../../expect.ts';

const reader = openYamlReader(resolve('engine/toolchain/built'));
const read = (text: string): readonly Document[] =>
  readDocuments([{ name: 'a.yaml', bytes: Buffer.from(text) }], reader);
const only = (text: string): Document => {
  const [document] = read(text);
  if (document === undefined) throw new Error('no document');
  return document;
};
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('the set listing', () => {
  it('tells how far it is', () => {
    const told: (readonly number[])[] = [];
    const documents = read(
      'kind: A\napiVersion: v1\nmetadata: {name: a}\n---\nkind: A\napiVersion: v1\nmetadata: {name: b}\n',
    );
    const set = listSet(documents, false, (...progress) => told.push(progress));
    expect(told).toEqual([
      [1, 2],
      [2, 2],
    ]);
    expect(set).toEqual(listSet(documents, false));
  });

  it('lists digest and id, ordered by id', () => {
    const set = listSet(
      read(
        'apiVersion: v1\nkind: Service\nmetadata: {name: b, namespace: x}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, namespace: x}\n',
      ),
      false,
    );
    const service = sha256(
      '{"apiVersion":"v1","kind":"Service","metadata":{"name":"b","namespace":"x"},"spec":{}}',
    );
    const template = '{"metadata":{},"spec":{"containers":null}}';
    const deployment = sha256(
      `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a","namespace":"x"},"spec":{"selector":null,"strategy":{},"template":${template}}}`,
    );
    expect(set.listing).toBe(`${service}  /Service/x/b\n${deployment}  apps/Deployment/x/a\n`);
    expect(set.digest).toBe(sha256(set.listing));
  });

  it.each([
    ['a line feed in a name', { name: 'a\nx' }],
    ['a carriage return in a name', { name: 'a\rx' }],
    ['a line separator in a name', { name: 'a\u2028x' }],
    ['a space of another kind in a name', { name: 'a\u00a0b' }],
    ['a character without width in a name', { name: 'a\u200bb' }],
    ['a space in a namespace', { namespace: 'x y' }],
    ['a space in an apiVersion', { apiVersion: 'apps /v1' }],
    ['a slash in a name', { name: 'a/b' }],
    ['an escape in a name', { name: 'a\u001b[2K' }],
    ['a line feed in a namespace', { namespace: 'x\ny' }],
    ['a slash in a namespace', { namespace: 'x/y' }],
    ['a slash in a kind', { kind: 'Pod/x' }],
    ['a space in a kind', { kind: 'Pod x' }],
    ['two slashes in an apiVersion', { apiVersion: 'a/b/c' }],
    ['an empty group', { apiVersion: '/v1' }],
    ['an empty version', { apiVersion: 'apps/' }],
    ['a line feed in an apiVersion', { apiVersion: 'apps\n/v1' }],
    ['a line feed in the name of a file with no object', { file: 'a\nb.yaml' }],
  ])('refuses %s, at check and wherever a set is listed', (_, part) => {
    const { file = 'a.yaml', ...of } = { file: undefined, ...part };
    const id = { apiVersion: 'v1', kind: 'Pod', name: 'a', namespace: 'x', ...of };
    const value =
      file === 'a.yaml'
        ? { apiVersion: id.apiVersion, kind: id.kind, metadata: { name: id.name, namespace: id.namespace } }
        : {};
    const bytes = Buffer.from(JSON.stringify(value));
    expectThrown(() => readDocuments([{ name: file, bytes }], reader), EngineError, 'INPUT_SHAPE');
    const admitted = { ...only('{}'), json: bytes, value, file, id: file === 'a.yaml' ? id : undefined };
    for (const isDelete of [false, true])
      expectThrown(() => listSet([admitted], isDelete), EngineError, 'INPUT_SHAPE');
  });

  it('lists names of RBAC as they are, with spaces and colons', () => {
    const role = (name: string): string =>
      `apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: ${JSON.stringify(name)}}\n`;
    const names = [' a', 'a ', 'a  b', 'read only', 'system:node'];
    const { entries, listing } = listSet(read(names.map(role).join('---\n')), false);
    expect(entries.map(({ id }) => id)).toEqual(
      names.map((name) => `rbac.authorization.k8s.io/ClusterRole//${name}`),
    );
    expect(listing.split('\n')).toHaveLength(names.length + 1);
  });

  it('is another one for other objects, and tells them all', () => {
    const part = fc.string({ unit: fc.constantFrom('a', '-', ':', '.', ' '), maxLength: 4 });
    const dense = fc.string({ unit: fc.constantFrom('a', 'b', '-'), minLength: 1, maxLength: 2 });
    const object = fc.record({
      group: fc.option(dense, { nil: undefined }),
      kind: dense,
      namespace: fc.option(dense, { nil: undefined }),
      name: part,
      size: fc.nat(3),
    });
    type One = typeof object extends fc.Arbitrary<infer T> ? T : never;
    const document = ({ group, kind, namespace, name, size }: One): Document => ({
      ...only('{}'),
      json: Buffer.from(JSON.stringify({ size })),
      id: {
        apiVersion: group === undefined ? 'v1' : `${group}/v1`,
        kind,
        name,
        ...(namespace === undefined ? {} : { namespace }),
      },
    });
    // What a reader of the listing finds in a line: the digest, and the id up to its third slash.
    const parsed = (line: string): readonly string[] => {
      const [, digest = '', id = ''] = /^([0-9a-f]{64}|-) {2}(.*)$/.exec(line) ?? [];
      const [group = '', kind = '', namespace = '', ...name] = id.split('/');
      return [digest, group, kind, namespace, name.join('/')];
    };
    fc.assert(
      fc.property(fc.array(object, { maxLength: 6 }), fc.boolean(), (objects, isDelete) => {
        const { listing } = listSet(objects.map(document), isDelete);
        const told = listing.split('\n').slice(0, -1).map(parsed);
        const facts = objects.map((one) => [
          isDelete ? '-' : sha256(JSON.stringify({ size: one.size })),
          one.group ?? '',
          one.kind,
          one.namespace ?? '',
          one.name,
        ]);
        const sorted = (all: readonly (readonly string[])[]): readonly string[] =>
          all.map((one) => JSON.stringify(one)).sort();
        expect(sorted(told)).toEqual(sorted(facts));
      }),
    );
  });

  it('has one line for each object, whatever objects are called', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (name, kind) => {
        const document = { ...only('{}'), id: { apiVersion: 'v1', kind, name } };
        let listing: string;
        try {
          ({ listing } = listSet([document], false));
        } catch (error) {
          expect(error).toMatchObject({ code: 'INPUT_SHAPE' });
          return;
        }
        expect(listing.split(/[\n\r\u2028\u2029\u0085]/u)).toHaveLength(2);
        expect(listing.split('/')).toHaveLength(4);
      }),
    );
  });

  it('refuses one object twice where a record is made', () => {
    const twice = listSet(
      read(
        'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\n',
      ),
      false,
    );
    expectThrown(() => refuseDuplicates(twice), EngineError, 'INPUT_DUPLICATE_OBJECT');
  });

  it('keeps an object that is there twice, in the same order however it came', () => {
    const one = 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {hostPID: true}\n';
    const two = 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n';
    const set = listSet(read(`${one}---\n${two}`), false);
    expect(set.entries).toHaveLength(2);
    expect(set.listing).toBe(listSet(read(`${two}---\n${one}`), false).listing);
    const gone = listSet(read(`${one}---\n${two}`), true);
    expect(gone.listing).toBe('-  /Pod//a\n-  /Pod//a\n');
    expectThrown(() => refuseDuplicates(gone), EngineError, 'INPUT_DUPLICATE_OBJECT');
  });

  it('lets a set of distinct objects, one and none pass', () => {
    refuseDuplicates(listSet([], false));
    refuseDuplicates(listSet(read('kind: Pod\napiVersion: v1\n'), false));
    refuseDuplicates(listSet(read('kind: A\napiVersion: v1\n---\nkind: B\napiVersion: v1\n'), false));
  });

  it('names what is no Kubernetes object by its file and ordinal', () => {
    const set = listSet(read('a: 1\n---\nb: 2\n'), false);
    expect(set.entries.map(({ id, apiVersion }) => ({ id, apiVersion }))).toEqual([
      { id: '///a.yaml#0', apiVersion: '' },
      { id: '///a.yaml#1', apiVersion: '' },
    ]);
  });

  it('keeps the digest of what it lists, and has none of an object that is about the set', () => {
    const pod = only('apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n');
    expect(listedDigest(pod)).toBe(listSet([pod], false).entries[0]?.digest);
    expect(listedDigest(pod)).toMatch(/^[0-9a-f]{64}$/);
    const own = only('apiVersion: countersign.dev/v1alpha1\nkind: Waiver\nmetadata: {name: a}\n');
    expect(listedDigest(own)).toBeUndefined();
    expect(listSet([own], false).entries).toEqual([]);
  });

  it('names a delete without a digest', () => {
    expect(listSet(read('apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n'), true).listing).toBe(
      '-  /Pod//a\n',
    );
  });
});

describe('canonical bytes', () => {
  it('keep integers of 64 bits', () => {
    expect(
      Buffer.from(
        canonicalBytes(Buffer.from('{"b":9223372036854775807,"a":-9007199254740993, "c":1.50}')),
      ).toString(),
    ).toBe('{"a":-9007199254740993,"b":9223372036854775807,"c":1.5}');
  });

  it('are the same for every order of keys', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null))),
        (value) => {
          const reversed = Object.fromEntries(Object.entries(value).reverse());
          expect(
            Buffer.from(canonicalBytes(Buffer.from(JSON.stringify(reversed)))).equals(
              Buffer.from(canonicalBytes(Buffer.from(JSON.stringify(value)))),
            ),
          ).toBe(true);
        },
      ),
    );
  });
});

describe('a Secret', () => {
  const secret = only(
    'apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: hunter2\ndata:\n  password: aHVudGVyMg==\nstringData:\n  token: hunter2\n',
  );

  it('shows a rule the length and class of its values only', () => {
    expect(JSON.parse(Buffer.from(reduceSecret(secret)).toString())).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's', annotations: {} },
      data: { password: { class: 'base64', length: 7 } },
      stringData: { token: { class: 'text', length: 7 } },
    });
  });

  it('is digested by its key names', () => {
    const other = only(
      'apiVersion: v1\nkind: Secret\nmetadata: {name: s, annotations: {}}\ndata: {password: b3RoZXI=}\nstringData: {token: other}\n',
    );
    expect(Buffer.from(digestForm(secret)).toString()).not.toContain('hunter2');
    expect(listSet([secret], false).digest).toBe(listSet([other], false).digest);
  });

  it.each([
    [
      'a value that is no text',
      'data: {a: 1}',
      { data: { a: { class: 'malformed', length: 0 } } },
      { data: ['a'] },
    ],
    ['an empty value', 'data: {a: ""}', { data: { a: { class: 'empty', length: 0 } } }, { data: ['a'] }],
    ['values that are no map', 'data: hunter2', { data: { class: 'malformed', length: 0 } }, { data: [] }],
    ['values that are null', 'data: null', { data: { class: 'malformed', length: 0 } }, { data: [] }],
    ['no values', 'type: Opaque', { type: 'Opaque' }, { type: 'Opaque' }],
    ['metadata that is text', 'metadata: m', { metadata: 'm' }, { metadata: 'm' }],
    [
      'annotations that are text',
      'metadata: {annotations: m}',
      { metadata: { annotations: 'm' } },
      { metadata: { annotations: 'm' } },
    ],
  ])('with %s is reduced all the same', (_, yaml, reduced, digested) => {
    const document = only(`apiVersion: v1\nkind: Secret\n${yaml}\n`);
    const head = { apiVersion: 'v1', kind: 'Secret' };
    expect(JSON.parse(Buffer.from(reduceSecret(document)).toString())).toEqual({ ...head, ...reduced });
    expect(JSON.parse(Buffer.from(digestForm(document)).toString())).toEqual({ ...head, ...digested });
  });

  it('is core/v1 alone: another kind of that name is not ours to hide', () => {
    for (const yaml of ['apiVersion: x.example/v1\nkind: Secret', 'apiVersion: v1\nkind: ConfigMap']) {
      const document = only(`${yaml}\ndata: {a: b}\n`);
      expect(reduceSecret(document)).toBe(document.json);
      expect(digestForm(document)).toBe(document.json);
    }
  });
});
