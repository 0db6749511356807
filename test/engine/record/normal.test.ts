// SPDX-License-Identifier: Apache-2.0
// The set digest: any change of what an object means changes it, and no change of how it is written does.
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Document, readDocuments } from '../../../engine/manifest/index.ts';
import { canonicalText } from '../../../engine/record/canonical.ts';
import { readObject } from '../../../engine/record/normal.ts';
import { listSet } from '../../../engine/record/set.ts';
import { openKube } from '../../../engine/toolchain/kube.ts';
import { openYamlReader } from '../../../engine/toolchain/yaml.ts';
import { KINDS, objectOf, pick, randomFrom } from '../schema/objects.ts';

const reader = openYamlReader(resolve('engine/toolchain/built'));
const read = (text: string): readonly Document[] =>
  readDocuments([{ name: 'a.yaml', bytes: Buffer.from(text) }], reader);
const digestOf = (text: string): string => listSet(read(text), false).digest;

const POD = `apiVersion: v1
kind: Pod
metadata:
  name: a
  namespace: x
spec:
  containers:
    - name: c
      image: nginx
      resources: {limits: {cpu: 500m, memory: 1Gi}}
      env: [{name: A, value: ""}]
`;

/** The same object with its keys in another order at every level. */
function shuffled(value: unknown, random: () => number): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => shuffled(item, random));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .map(([key, item]) => [random(), [key, shuffled(item, random)]] as const)
    .sort(([a], [b]) => a - b);
  return Object.fromEntries(entries.map(([, entry]) => entry));
}

/** Named, as objects in a set are, and without what the API server drops from a digest. */
function named(object: Record<string, unknown>, name: string): Record<string, unknown> {
  const { status: _status, ...rest } = object;
  return { ...rest, metadata: { name, namespace: 'x' } };
}

/** One value of the spec changed, taken away or added to. */
function mutated(value: Record<string, unknown>, random: () => number): Record<string, unknown> {
  const keys = Object.keys(value).filter((key) => !['apiVersion', 'kind', 'metadata'].includes(key));
  const key = pick(keys, random);
  if (key === undefined) return { ...value, spec: {} };
  const item = value[key];
  if (typeof item === 'object' && item !== null && !Array.isArray(item) && random() < 0.8)
    return { ...value, [key]: mutated({ ...item }, random) };
  if (Array.isArray(item) && random() < 0.5) return { ...value, [key]: [...item, item[0] ?? null] };
  return { ...value, [key]: pick([null, '', 'other', 0, 7, true, false, [], {}, undefined, item], random) };
}

/** A Secret's values are not in a digest. */
function withoutStatus(json: Uint8Array): string {
  const { status: _status, ...rest } = JSON.parse(Buffer.from(json).toString());
  const secret = {
    data: Object.keys(rest.data ?? {}).sort(),
    stringData: Object.keys(rest.stringData ?? {}).sort(),
  };
  return canonicalText(rest.kind === 'Secret' ? { ...rest, ...secret } : rest);
}

describe('the set digest', () => {
  it.each([
    ['quantities', POD.replace('500m', '0.5').replace('1Gi', '1024Mi')],
    ['a comment', `# c\n${POD.replace('spec:', 'spec: # here')}`],
    ['what has no value', POD.replace('image: nginx', 'image: nginx\n      args: []\n      stdin: false')],
    ['null', POD.replace('image: nginx', 'image: nginx\n      command: null')],
    ['a list of one', JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [read(POD)[0]?.value] })],
    ['a list of Pods', JSON.stringify({ apiVersion: 'v1', kind: 'PodList', items: [read(POD)[0]?.value] })],
    ['status', `${POD}status: {phase: Running}\n`],
    [
      'what the API server adds',
      POD.replace(
        'namespace: x',
        'namespace: x\n  uid: u\n  resourceVersion: "1"\n  generation: 3\n  creationTimestamp: "2024-01-01T00:00:00Z"\n  selfLink: /a\n  managedFields: []',
      ),
    ],
    [
      'what kubectl and we add',
      POD.replace(
        'namespace: x',
        'namespace: x\n  annotations: {kubectl.kubernetes.io/last-applied-configuration: "{}", countersign.dev/record: a, set.countersign.dev/b: c}',
      ),
    ],
    [
      'an object of our own group',
      `${POD}---\napiVersion: countersign.dev/v1alpha1\nkind: Project\nmetadata: {name: p}\n`,
    ],
  ])('is the same for another way to write %s', (_, text) => {
    expect(digestOf(text)).toBe(digestOf(POD));
  });

  it.each([
    ['a quantity', POD.replace('500m', '501m')],
    ['an environment variable', POD.replace('value: ""', 'value: "1"')],
    ['a field', `${POD}  hostPID: true\n`],
    ['a field that Kubernetes does not know', `${POD}  hostPid: true\n`],
    ['another such field', `${POD}  hostPid: false\n`],
    ['an annotation', POD.replace('namespace: x', 'namespace: x\n  annotations: {a: b}')],
    [
      'an annotation of a name like ours',
      POD.replace('namespace: x', 'namespace: x\n  annotations: {notcountersign.dev/a: b}'),
    ],
    ['a value of a wrong type', POD.replace('image: nginx', 'image: 5')],
    ['the order of containers', POD.replace('- name: c', '- name: z\n    - name: c')],
  ])('is another for another %s', (_, text) => {
    expect(digestOf(text)).not.toBe(digestOf(POD));
  });

  it('keeps integers of 64 bits, in built-in kinds and in others', () => {
    for (const head of [
      'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {activeDeadlineSeconds: ',
      'apiVersion: a.example/v1\nkind: A\nmetadata: {name: a}\nspec: {b: ',
    ])
      expect(digestOf(`${head}9007199254740993}`)).not.toBe(digestOf(`${head}9007199254740992}`));
  });

  it('keeps integers of 64 bits where something is left out as well', () => {
    const text = (seconds: string, more: string): string =>
      `apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {activeDeadlineSeconds: ${seconds}}\n${more}`;
    const status = 'status: {phas: 9007199254740993}';
    expect(digestOf(text('9007199254740993', status))).toBe(digestOf(text('9007199254740993', '')));
    expect(digestOf(text('9007199254740993', status))).not.toBe(digestOf(text('9007199254740992', status)));
    expect(
      read(text('9007199254740993', status)).map((document) => readObject(document).faults().length),
    ).toEqual([1]);
  });

  it('keeps the annotations of others', () => {
    const text = (annotations: string, more = ''): string =>
      POD.replace('namespace: x', `namespace: x\n  annotations: {${annotations}}${more}`);
    expect(digestOf(text('a: b, countersign.dev/c: d'))).toBe(digestOf(text('a: b')));
    expect(digestOf(text('a: b', '\n  uid: u'))).toBe(digestOf(text('a: b')));
    expect(digestOf(text('a: c, countersign.dev/c: d'))).not.toBe(digestOf(text('a: b')));
  });

  it('keeps what stands empty in a custom kind, for which nobody can say that it means nothing', () => {
    const custom = (rest: string): string =>
      `apiVersion: a.example/v1\nkind: A\nmetadata: {name: a}\n${rest}`;
    const digests = ['', 'spec: {}', 'spec: {a: []}', 'spec: {a: null}', 'spec: {a: ""}'].map((rest) =>
      digestOf(custom(rest)),
    );
    expect(new Set(digests).size).toBe(digests.length);
    expect(digestOf(custom('status: {a: 1}'))).toBe(digestOf(custom('')));
    expect(digestOf(custom('').replace('name: a', 'name: a, annotations: {}, uid: u'))).toBe(
      digestOf(custom('')),
    );
  });

  it('leaves nothing behind of a custom object that had but what the API server adds', () => {
    const bare = 'apiVersion: a.example/v1\nkind: A\n';
    for (const rest of [
      'status: {}',
      'metadata: {uid: u}',
      'metadata: {annotations: {countersign.dev/a: b}}',
      'metadata: {}',
      'metadata: {}\nstatus: 1',
    ])
      expect(digestOf(bare + rest)).toBe(digestOf(bare));
    expect(digestOf(`${bare}metadata: 5`)).not.toBe(digestOf(bare));
    expect(digestOf(`${bare}metadata: {annotations: 5}`)).not.toBe(digestOf(bare));
  });

  it('is of any JSON', () => {
    expect(digestOf('[1]')).not.toBe(digestOf('[2]'));
    expect(digestOf('5')).not.toBe(digestOf('{}'));
    expect(read('[1]').map((document) => readObject(document).faults())).toEqual([[]]);
  });

  it('takes the names of the keys of a Secret, never a value', () => {
    const secret = (rest: string): string => `apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n${rest}`;
    const digest = digestOf(secret('data: {a: aGVsbG8=, b: ""}'));
    expect(digestOf(secret('data: {b: aGVsbG8=, a: ""}'))).toBe(digest);
    expect(digestOf(secret('data: {b: "***", a: ""}'))).toBe(
      digestOf(secret('data: {b: "***", a: "aGVsbG8="}')),
    );
    expect(digestOf(secret('data: {a: aGVsbG8=}'))).not.toBe(digest);
    expect(digestOf(secret('data: {a: aGVsbG8=, b: ""}\ntype: x'))).not.toBe(digest);
    expect(digestOf(secret('stringData: {a: x, b: y}'))).not.toBe(digest);
  });

  it('is the same for every order of keys and documents, and every spelling in YAML', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1 }), (seed) => {
        const random = randomFrom(seed);
        const objects = [1, 2, 3].map((at) =>
          named(objectOf(pick(KINDS, random) ?? '', { wrong: 0.02, random }), `n${at}`),
        );
        const texts = objects.map((object) => JSON.stringify(object));
        const mixed = [...objects]
          .reverse()
          .map((object) => JSON.stringify(shuffled(object, random), null, 2));
        fc.pre(!texts.some((text) => text.includes('100000000000000000000')));
        const digest = digestOf(texts.join('\n---\n'));
        expect(digestOf(mixed.map((text) => `# c\n${text}\n`).join('---\n'))).toBe(digest);
        expect(digestOf(`{"apiVersion":"v1","kind":"List","items":[${mixed.join(',')}]}`)).toBe(digest);
      }),
      { numRuns: 200, seed: 5 },
    );
  });

  it('is another after a change exactly where Kubernetes reads another object', () => {
    const kube = openKube(resolve('engine/toolchain/built'));
    const outcomes = { same: 0, other: 0 };
    for (let run = 0; run < 600; run++) {
      const random = randomFrom(run * 7919 + 1);
      const object = named(objectOf(pick(KINDS, random) ?? '', { wrong: 0, random }), 'a');
      const changed = mutated(object, random);
      const [before, after] = [object, changed].map((one) => kube.normal(Buffer.from(JSON.stringify(one))));
      if (before === undefined || after?.error !== undefined || (after?.strict.length ?? 1) > 0) continue;
      const [theirs, theirsAfter] = [before, after].map((one) => withoutStatus(one?.object ?? Buffer.of()));
      const isSame = theirs === theirsAfter;
      const shown = `${JSON.stringify(object)}\n${JSON.stringify(changed)}`;
      expect([shown, digestOf(JSON.stringify(changed)) === digestOf(JSON.stringify(object))]).toEqual([
        shown,
        isSame,
      ]);
      outcomes[isSame ? 'same' : 'other']++;
    }
    expect(Math.min(outcomes.same, outcomes.other)).toBeGreaterThan(10);
  });
});

describe('an object that is read', () => {
  it('has the faults of what the API server added as well', () => {
    const [document] = read(`${POD}status: {phas: Running}\n`);
    if (document === undefined) throw new Error('no document');
    expect(readObject(document).faults()).toMatchObject([{ is: 'field', pointer: '/status/phas' }]);
    expect(readObject(document)).toBe(readObject(document));
  });
});

describe('an object whose content is held', () => {
  it('is read as any other: once for its digest, and again for its faults when another was read since', () => {
    let readings = 0;
    const held = (text: string): { readonly document: Document; readonly whole: Document } => {
      const [whole] = read(text);
      if (whole === undefined) throw new Error('no document');
      const { value, ...rest } = whole;
      const document = {
        ...rest,
        isHeld: true as const,
        get value() {
          readings += 1;
          return value;
        },
      };
      return { document, whole };
    };
    const one = held(POD);
    const other = held(POD.replace('containers:', 'Containers:'));
    for (const { document, whole } of [one, other, one]) {
      expect(readObject(document).digest).toBe(readObject(whole).digest);
      expect(readObject(document).faults()).toEqual(readObject(whole).faults());
    }
    expect(readObject(one.document).faults()).toEqual([]);
    expect(readObject(other.whole).faults()).toHaveLength(1);
    // By its digest alone none is read again.
    const before = readings;
    expect(readObject(other.document).digest).toBe(readObject(other.whole).digest);
    expect(readings).toBe(before);
  });
});
