// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseReview } from '../../../webhook/admission/review.ts';
import { scanMembers } from '../../../webhook/admission/scan.ts';
import { WebhookError } from '../../../webhook/error.ts';
import { expectThrown } from '../../expect.ts';
import { POD, reviewOf } from '../harness.ts';

const bytes = (value: unknown): Buffer =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const text = (value: Uint8Array | undefined): string => Buffer.from(value ?? []).toString();

describe('who asked', () => {
  it('is named with the subresource, and without a name where the request has none', () => {
    const scaled = parseReview(bytes(reviewOf({ subResource: 'scale', userInfo: {} })));
    expect(scaled.change.requester).toEqual({ uid: 'u-1', subResource: 'scale', isAuthenticated: false });
  });
});

describe('an AdmissionReview', () => {
  it('may name nobody who asks, and not by anything but text', () => {
    for (const userInfo of [undefined, null, {}, { username: '' }])
      expect(parseReview(bytes(reviewOf({ userInfo }))).change.requester).toEqual({
        uid: 'u-1',
        isAuthenticated: false,
      });
    expect(parseReview(bytes(reviewOf({ subResource: 'exec' }))).change.requester).toMatchObject({
      subResource: 'exec',
    });
    for (const userInfo of [{ username: 1 }, 'alice'])
      expectThrown(() => parseReview(bytes(reviewOf({ userInfo }))), WebhookError, 'REQUEST_SHAPE');
  });

  it('becomes a change', () => {
    const body = bytes(reviewOf());
    const review = parseReview(body);
    expect(review).toEqual({
      uid: 'u-1',
      operation: 'CREATE',
      group: '',
      kind: 'Pod',
      namespace: 'shop',
      name: 'web',
      dryRun: false,
      change: {
        phase: 'admission',
        operation: 'CREATE',
        namespace: 'shop',
        requester: { uid: 'u-1', username: 'alice', isAuthenticated: false },
        sources: [],
        documents: [
          {
            json: bytes(POD),
            value: POD,
            id: { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'web' },
            file: 'admission',
            line: 1,
            index: 0,
            pointer: '',
          },
        ],
        request: bytes(
          '{"uid":"u-1","kind":{"group":"","version":"v1","kind":"Pod"},"resource":{"group":"","version":"v1","resource":"pods"},' +
            '"name":"web","namespace":"shop","operation":"CREATE","userInfo":{"username":"alice"},"dryRun":false,"options":null}',
        ),
      },
    });
  });

  it('keeps int64 and every other byte of the object', () => {
    const object =
      '{ "apiVersion":"v1","kind":"Pod", "metadata":{"name":"a\\"}{b"},"n":9223372036854775807,"f":1.10 }';
    const body = JSON.stringify(reviewOf({ operation: 'UPDATE', object: 1, oldObject: 2 }))
      .replace('"object":1', `"object" :\n ${object}`)
      .replace('"oldObject":2', `"oldObject":${object.replace('807', '806')}`);
    const { change } = parseReview(bytes(body));
    expect(text(change.documents[0]?.json)).toBe(object);
    expect(text(change.oldObject)).toBe(object.replace('807', '806'));
    expect(JSON.parse(text(change.request))).not.toHaveProperty('object');
  });

  it('judges the old object on DELETE and the options on CONNECT', () => {
    const gone = parseReview(bytes(reviewOf({ operation: 'DELETE', object: null, oldObject: POD }))).change;
    expect(gone.documents.map((document) => document.value)).toEqual([POD]);
    expect(gone.oldObject).toBeUndefined();
    const object = { kind: 'PodExecOptions', apiVersion: 'v1', command: ['sh'] };
    const exec = parseReview(bytes(reviewOf({ operation: 'CONNECT', object, subResource: 'exec' })));
    expect(exec.subResource).toBe('exec');
    expect(exec.change.documents[0]?.id).toEqual({
      apiVersion: 'v1',
      kind: 'PodExecOptions',
      namespace: 'shop',
      name: 'web',
    });
  });

  it('gives an object the namespace of its request, a Namespace none', () => {
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { generateName: 'web-' } };
    expect(parseReview(bytes(reviewOf({ object: pod, name: '' }))).change.documents[0]?.id).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      namespace: 'shop',
      name: 'web-',
    });
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
    const review = parseReview(bytes(reviewOf({ object: namespace, name: 'shop' })));
    expect(review.change.documents[0]?.id).toEqual({ apiVersion: 'v1', kind: 'Namespace', name: 'shop' });
    expect(review.change.namespace).toBe('shop');
  });

  it('names an object as well as the request allows', () => {
    const of = (object: unknown, request: object): unknown => {
      const { name, change } = parseReview(bytes(reviewOf({ object, ...request })));
      return { name, id: change.documents[0]?.id };
    };
    const pod = { apiVersion: 'v1', kind: 'Pod' };
    const id = { ...pod, namespace: 'shop' };
    expect(of(pod, { name: 'asked' })).toEqual({ name: 'asked', id: { ...id, name: 'asked' } });
    expect(of(pod, { name: undefined })).toEqual({ name: '', id: { ...id, name: '' } });
    expect(of({ ...pod, metadata: null }, { name: null, namespace: null })).toEqual({
      name: '',
      id: { ...pod, name: '' },
    });
  });

  it('may bring what has no apiVersion or kind: no identity then, and the rules say what they think of it', () => {
    for (const object of [{}, { apiVersion: 'v1' }, { kind: 'Pod' }, { apiVersion: '', kind: 'Pod' }]) {
      const { name, change } = parseReview(bytes(reviewOf({ object })));
      expect(name).toBe('web');
      expect(change.documents.map(({ id, json }) => ({ id, json: text(json) }))).toEqual([
        { id: undefined, json: JSON.stringify(object) },
      ]);
      expect(parseReview(bytes(reviewOf({ object, name: undefined }))).name).toBe('');
    }
  });

  it('is no dry run where it does not say so', () => {
    expect(parseReview(bytes(reviewOf({ dryRun: undefined }))).dryRun).toBe(false);
    expect(parseReview(bytes(reviewOf({ dryRun: null }))).dryRun).toBe(false);
    expect(parseReview(bytes(reviewOf({ dryRun: true }))).dryRun).toBe(true);
  });

  it('is scanned to its end even where it is cut: no byte beyond it is looked for', () => {
    expect(scanMembers(bytes('{"request":{"a":12'), 'request').inside).toEqual([
      { key: 'a', from: 12, start: 16, end: 18 },
    ]);
    expect(scanMembers(bytes('{"a":[1,'), 'request').own).toEqual([{ key: 'a', from: 1, start: 5, end: 8 }]);
  });

  it('finds members of any JSON where JSON.parse finds them', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 })),
        fc.constantFrom(0, 1, 4),
        (inner, space) => {
          const body = bytes(JSON.stringify({ before: [1, '}'], request: inner, after: 'x' }, null, space));
          const { own, inside } = scanMembers(body, 'request');
          const read = (members: typeof inside): Record<string, unknown> => {
            const found: Record<string, unknown> = Object.create(null);
            for (const { key, start, end } of members)
              found[key] = JSON.parse(text(body.subarray(start, end)));
            return found;
          };
          const expected: Record<string, unknown> = Object.assign(
            Object.create(null),
            JSON.parse(JSON.stringify(inner)),
          );
          expect(JSON.stringify(read(inside))).toBe(JSON.stringify(expected));
          expect(own.map(({ key }) => key)).toEqual(['before', 'request', 'after']);
        },
      ),
    );
  });
});

describe('what is no AdmissionReview v1', () => {
  const request = reviewOf()['request'];
  const deep = `${'['.repeat(101)}${']'.repeat(101)}`;
  const dup = (key: string): string =>
    JSON.stringify(reviewOf()).replace('"uid":"u-1"', `"uid":"u-1",${key}:{"apiVersion":"v1","kind":"Pod"}`);
  it.each([
    ['nothing', '', 'REQUEST_EMPTY', 'the body is empty'],
    ['half a body', '{"apiVersion":', 'REQUEST_SYNTAX', 'the body is not JSON'],
    ['a list', '[]', 'REQUEST_SHAPE', 'the body is not a JSON object'],
    ['null', 'null', 'REQUEST_SHAPE', 'the body is not a JSON object'],
    ['an empty object', '{}', 'REQUEST_SHAPE', 'not an AdmissionReview of admission.k8s.io/v1'],
    [
      'v1beta1',
      { ...reviewOf(), apiVersion: 'admission.k8s.io/v1beta1' },
      'REQUEST_SHAPE',
      'not an AdmissionReview of admission.k8s.io/v1',
    ],
    [
      'another kind',
      { ...reviewOf(), kind: 'TokenReview' },
      'REQUEST_SHAPE',
      'not an AdmissionReview of admission.k8s.io/v1',
    ],
    ['no request', { ...reviewOf(), request: null }, 'REQUEST_SHAPE', 'request is missing'],
    [
      'a request of another type',
      { ...reviewOf(), request: [] },
      'REQUEST_SHAPE',
      'request is not an object',
    ],
    ['no uid', reviewOf({ uid: undefined }), 'REQUEST_SHAPE', 'request.uid is not a string of 1 to 256'],
    ['a uid that is a number', reviewOf({ uid: 1 }), 'REQUEST_SHAPE', 'uid is not a string'],
    [
      'a very long uid',
      reviewOf({ uid: 'u'.repeat(257) }),
      'REQUEST_SHAPE',
      'request.uid is not a string of 1 to 256',
    ],
    [
      'an unknown operation',
      reviewOf({ operation: 'create' }),
      'REQUEST_SHAPE',
      'request.operation is not CREATE, UPDATE, DELETE or CONNECT',
    ],
    [
      'no kind',
      reviewOf({ kind: undefined }),
      'REQUEST_SHAPE',
      'request.kind is not a group, version and kind',
    ],
    ['no object', reviewOf({ object: null }), 'REQUEST_SHAPE', 'request.object is missing'],
    [
      'an update of nothing',
      reviewOf({ operation: 'UPDATE' }),
      'REQUEST_SHAPE',
      'request.oldObject is missing',
    ],
    [
      'a delete of nothing',
      reviewOf({ operation: 'DELETE' }),
      'REQUEST_SHAPE',
      'request.oldObject is missing',
    ],
    ['an object that is a list', reviewOf({ object: [] }), 'REQUEST_SHAPE', 'object is not an object'],
    ['a dry run in quotes', reviewOf({ dryRun: 'true' }), 'REQUEST_SHAPE', 'dryRun is not true or false'],
    [
      'metadata of another type',
      reviewOf({ object: { ...POD, metadata: 'x' } }),
      'REQUEST_SHAPE',
      'metadata is not an object',
    ],
    [
      'two requests',
      JSON.stringify(reviewOf()).replace(/\}$/, `,"request":${JSON.stringify(request)}}`),
      'REQUEST_DUPLICATE_KEY',
      'the key "request" stands twice',
    ],
    ['two objects', dup('"object"'), 'REQUEST_DUPLICATE_KEY', 'the key "object" stands twice'],
    [
      'two objects, one in escapes',
      dup('"\\u006fbject"'),
      'REQUEST_DUPLICATE_KEY',
      'the key "object" stands twice',
    ],
    [
      'an object too deep',
      JSON.stringify(reviewOf()).replace('"spec":{}', `"spec":${deep}`),
      'REQUEST_SHAPE',
      'nested deeper than 100 levels',
    ],
  ])('refuses %s', (_, body, code, message) => {
    expectThrown(() => parseReview(bytes(body)), WebhookError, code, message);
  });

  it('refuses bytes that are not UTF-8', () => {
    const body = Buffer.concat([bytes('{"a":"'), Buffer.from([0xff]), bytes('"}')]);
    expectThrown(() => parseReview(body), WebhookError, 'REQUEST_SYNTAX', 'the body is not UTF-8');
  });
});
