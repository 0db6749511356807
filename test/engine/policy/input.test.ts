// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { type Document, readDocuments } from '../../../engine/manifest/index.ts';
import { conftestInput, type InputFrame, nativeInput } from '../../../engine/policy/input.ts';
import { canonicalBytes } from '../../../engine/record/canonical.ts';
import { openYamlReader } from '../../../engine/toolchain/yaml.ts';
import { parseReview } from '../../../webhook/admission/review.ts';
import { POD, reviewOf } from '../../webhook/harness.ts';

const schema: object = JSON.parse(readFileSync(resolve('engine/policy/input.schema.json'), 'utf8'));
const ajv = new Ajv2020({ allErrors: true, strict: true, strictTypes: false, strictRequired: false });
const validate = ajv.compile(schema);
const reader = openYamlReader(resolve('engine/toolchain/built'));

const CONTEXT =
  '{"environment":{"name":"production/eu","tier":"production"},"time":"2026-11-24T12:00:00.000Z"}';
const CHECK: InputFrame = { phase: 'check', operation: 'CREATE', context: CONTEXT };

function faults(bytes: Uint8Array): readonly string[] {
  const value: unknown = JSON.parse(Buffer.from(bytes).toString());
  return validate(value) ? [] : (validate.errors ?? []).map((e) => `${e.instancePath} ${e.message}`);
}
const read = (name: string, bytes: Uint8Array): readonly Document[] =>
  readDocuments([{ name, bytes }], reader);
const manifests = (folder: string): readonly Document[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(?:ya?ml|json)$/.test(path))
    .map((path) => join(folder, path))
    .flatMap((path) => read(path, readFileSync(path)));

/** Top-level keys as they stand in the bytes. */
const keys = (bytes: Uint8Array): readonly string[] => Object.keys(JSON.parse(Buffer.from(bytes).toString()));

describe('the input of a native rule in check', () => {
  it('conforms to the published schema for every example', () => {
    const documents = [
      ...manifests('examples/shop'),
      ...manifests('examples/shop-mended'),
      ...manifests('policies/packs'),
    ];
    expect(documents.length).toBeGreaterThan(20);
    for (const document of documents)
      expect([document.file, faults(nativeInput(document, CHECK))]).toEqual([document.file, []]);
  });

  it('conforms for whatever a manifest may hold, images of any shape too (property)', () => {
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom('a', 'a:1', 'r.example:5000/a/b:1', `a@sha256:${'0'.repeat(64)}`, 'A B', ':', '@', ''),
    );
    const container = fc.record(
      { name: fc.oneof(text, fc.integer()), image: fc.oneof(text, fc.jsonValue({ maxDepth: 1 })) },
      { requiredKeys: [] },
    );
    const pod = fc.record(
      {
        initContainers: fc.array(container),
        containers: fc.array(fc.oneof(container, fc.jsonValue({ maxDepth: 1 }))),
      },
      { requiredKeys: [] },
    );
    const object = fc.oneof(
      fc.record({
        apiVersion: fc.constant('v1'),
        kind: fc.constant('Pod'),
        metadata: fc.jsonValue({ maxDepth: 2 }),
        spec: pod,
      }),
      fc.record({
        apiVersion: fc.constant('v1'),
        kind: fc.constant('Secret'),
        data: fc.jsonValue({ maxDepth: 2 }),
      }),
      fc.jsonValue({ maxDepth: 4 }).filter((value) => value !== null),
    );
    fc.assert(
      fc.property(object, (value) => {
        const bytes = Buffer.from(JSON.stringify(value));
        const document: Document = {
          ...EMPTY,
          json: bytes,
          value: JSON.parse(bytes.toString()),
          id: idOf(value),
        };
        expect(faults(nativeInput(document, CHECK))).toEqual([]);
      }),
    );
  });

  it('has its keys in canonical order, and the bytes of the object as they are', () => {
    const [document] = read(
      'a.yaml',
      Buffer.from('apiVersion: v1\nkind: Pod\nspec: {seed: 9007199254740993}\n'),
    );
    if (document === undefined) throw new Error('no document');
    const bytes = nativeInput(document, CHECK);
    expect(keys(bytes)).toEqual(['apiVersion', 'context', 'images', 'kind', 'object', 'operation', 'phase']);
    expect(Buffer.from(bytes).toString()).toContain('"seed":9007199254740993');
    expect(Buffer.from(canonicalBytes(bytes)).equals(Buffer.from(bytes))).toBe(true);
    expect(conftestInput(document, CHECK)).toBe(document.json);
  });
});

const EMPTY: Document = {
  json: Buffer.from('{}'),
  value: {},
  id: undefined,
  file: 'a',
  line: 1,
  index: 0,
  pointer: '',
};
function idOf(value: unknown): Document['id'] {
  const kind: unknown = Object(value).kind;
  return typeof kind === 'string' ? { apiVersion: 'v1', kind, name: 'a' } : undefined;
}

describe('the input of a native rule at admission', () => {
  const inputOf = (body: string): Uint8Array => {
    const { change } = parseReview(Buffer.from(body));
    const [document] = change.documents;
    if (document === undefined) throw new Error('no document');
    const { operation, request, oldObject } = change;
    return nativeInput(document, {
      phase: 'admission',
      operation,
      context: CONTEXT,
      ...(request === undefined ? {} : { request }),
      ...(oldObject === undefined ? {} : { oldObject }),
    });
  };

  it('conforms for every request that a real API server sent', () => {
    const lines = readFileSync(resolve('test/webhook/samples/reviews.jsonl'), 'utf8').trim().split('\n');
    expect(lines.length).toBeGreaterThan(30);
    for (const line of lines) expect(faults(inputOf(line))).toEqual([]);
  });

  it('conforms for every operation, and a DELETE has the old object alone', () => {
    const of = (request: object): Uint8Array => inputOf(JSON.stringify(reviewOf({ ...request })));
    const update = of({ operation: 'UPDATE', oldObject: POD });
    const gone = of({ operation: 'DELETE', object: null, oldObject: POD });
    const exec = of({ operation: 'CONNECT', object: { apiVersion: 'v1', kind: 'PodExecOptions' } });
    for (const bytes of [update, gone, exec]) expect(faults(bytes)).toEqual([]);
    expect(keys(update)).toEqual([
      'apiVersion',
      'context',
      'images',
      'kind',
      'object',
      'oldObject',
      'operation',
      'phase',
      'request',
    ]);
    expect(keys(gone)).toEqual([
      'apiVersion',
      'context',
      'images',
      'kind',
      'oldObject',
      'operation',
      'phase',
      'request',
    ]);
    expect(
      conftestInput(EMPTY, { phase: 'admission', operation: 'DELETE', context: CONTEXT }),
    ).toBeUndefined();
  });
});

describe('the schema', () => {
  const good = JSON.parse(Buffer.from(nativeInput(EMPTY, CHECK)).toString());
  it.each<[string, object]>([
    ['an unknown key', { more: 1 }],
    ['another phase', { phase: 'later' }],
    ['null for a section', { claims: null }],
    ['no object', { object: undefined }],
    ['object and objects', { objects: [{}] }],
    ['an object on DELETE', { operation: 'DELETE', oldObject: {} }],
    ['a request in check', { request: { uid: 'u', kind: {}, operation: 'CREATE' } }],
    ['no request at admission', { phase: 'admission' }],
    ['no time', { context: {} }],
    ['a section of the context that is not known', { context: { ...good.context, actor: {} } }],
    ['an image without its reference', { images: [{ container: 'a', path: '/spec' }] }],
    [
      'a claim by nobody',
      { claims: [{ subject: `sha256:${'0'.repeat(64)}`, predicateType: 'a', predicate: {} }] },
    ],
  ])('refuses %s', (_, part) => {
    expect(validate(good)).toBe(true);
    expect(validate(JSON.parse(JSON.stringify({ ...good, ...part })))).toBe(false);
  });
});

describe('claims in the input', () => {
  const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;
  const [document] = read(
    'pod',
    Buffer.from(
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'p' },
        spec: {
          containers: ['b', 'a', 'c', 'a'].map((digit, at) => ({
            name: `c${at}`,
            image: `r.example/x@${digest(digit)}`,
          })),
        },
      }),
    ),
  );
  const claimOf = (digit: string): string =>
    JSON.stringify({
      digest: digest('f'),
      known: false,
      predicate: {},
      predicateType: 'https://x.example/t',
      signer: { keyId: 'id', kind: 'key', name: 'k' },
      subject: digest(digit),
    });
  const inputWith = (frame: Partial<InputFrame>): Uint8Array => {
    if (document === undefined) throw new Error('no document');
    return nativeInput(document, { ...CHECK, ...frame });
  };
  const claims = new Map(['z', 'b', 'a'].map((digit) => [digest(digit), [claimOf(digit)]] as const));

  it("are those about the object's own images, in order, and conform to the schema", () => {
    const input = inputWith({ claims });
    expect(faults(input)).toEqual([]);
    expect(keys(input).slice(0, 3)).toEqual(['apiVersion', 'claims', 'context']);
    expect(JSON.parse(Buffer.from(input).toString()).claims).toEqual(
      ['a', 'b'].map((digit) => JSON.parse(claimOf(digit))),
    );
  });

  it('are empty where nothing was proved, and absent where nobody looked', () => {
    expect(JSON.parse(Buffer.from(inputWith({ claims: new Map() })).toString()).claims).toEqual([]);
    expect(keys(inputWith({}))).not.toContain('claims');
  });
});
