// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { EngineError } from '../../../engine/error.ts';
import { objectOf as findingObject } from '../../../engine/record/set.ts';
import {
  type CustomKinds,
  openSchema,
  readCustomKinds,
  type SchemaSettings,
} from '../../../engine/schema/index.ts';
import { standingOf } from '../../../engine/schema/life.ts';
import { canonicalQuantity } from '../../../engine/schema/quantity.ts';
import { nearest } from '../../../engine/schema/suggest.ts';
import { canonicalTime } from '../../../engine/schema/time.ts';
import { openKube } from '../../../engine/toolchain/kube.ts';
import { committedTable, printedTable } from '../../../scripts/schema.ts';
import { expectThrown } from '../../expect.ts';
import { read } from '../manifest/reader.ts';

/** Findings as `rule path: message (remedy)`, with what is no fail before it. */
function said(text: string, settings: Partial<SchemaSettings> = {}): readonly string[] {
  const schema = openSchema({ enforcement: {}, ...settings });
  return read(text)
    .flatMap((document) => schema.findingsOf(document, findingObject(document)))
    .map(({ rule, result, path, message, remedy }) =>
      [
        result === 'fail' ? '' : `${result}: `,
        `${rule} ${path}: ${message}`,
        remedy === undefined ? '' : ` (${remedy})`,
      ].join(''),
    );
}

const deployment = (spec: string): string =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: ${spec}\n`;

describe('the table', () => {
  it('is what the program says', () => {
    expect(committedTable()).toBe(printedTable());
  });
});

describe('built-in kinds', () => {
  it('are decoded strictly', () => {
    expect(said(deployment('{replicas: 2, template: {spec: {containers: [{name: a, imag: b}]}}}'))).toEqual([
      'schema.unknown-field /spec/template/spec/containers/0/imag: unknown field "imag" (did you mean "image"?)',
    ]);
    expect(said(deployment('{replicas: "2", paused: 1, selector: []}'))).toEqual([
      'schema.type /spec/paused: expected true or false, found a number',
      'schema.type /spec/replicas: expected a whole number, found text (write it without quotes)',
      'schema.type /spec/selector: expected an object, found a list',
    ]);
  });

  it('tell of the first hundred faults of an object, and how many more there are', () => {
    const fields = Array.from({ length: 103 }, (_, at) => `zz${at}: 1`).join(', ');
    const findings = said(deployment(`{${fields}}`));
    expect(findings).toHaveLength(101);
    expect(findings.at(-1)).toBe('schema.unknown-field : 3 more fields and values are refused');
  });

  it('never show a value', () => {
    const secret =
      'apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {a: "hunter2!"}\nstringData: {b: 12345}\n';
    expect(said(secret)).toEqual([
      'schema.type /data/a: expected base64, found text',
      'schema.type /stringData/b: expected text, found a number (quote it)',
    ]);
  });

  it('are none of it where a Document is no Kubernetes object, or of a kind that nobody defines', () => {
    expect(said('a: 1')).toEqual([]);
    expect(said('apiVersion: a.example/v1\nkind: A\nmetadata: 5')).toEqual([]);
  });

  it('are enforced as the environment says', () => {
    const text = deployment('{replica: 2}');
    expect(said(text, { enforcement: { 'schema.unknown-field': 'warn' } })[0]).toMatch(/^warn: /);
    expect(said(text, { enforcement: { 'schema.unknown-field': 'audit' } })[0]).toMatch(/^skip: /);
    expect(said(text, { enforcement: { 'schema.unknown-field': 'deny' } })[0]).toMatch(/^schema/);
  });
});

describe('what a version of Kubernetes serves', () => {
  it.each([
    [
      'batch/v1beta1',
      'CronJob',
      37,
      'fail batch/v1beta1 CronJob is served no more since Kubernetes 1.25 (use batch/v1 CronJob)',
    ],
    [
      'batch/v1beta1',
      'CronJob',
      24,
      'warn batch/v1beta1 CronJob is deprecated since Kubernetes 1.21, and served no more from 1.25 on (use batch/v1 CronJob)',
    ],
    ['batch/v1beta1', 'CronJob', 20, ''],
    [
      'autoscaling/v2beta2',
      'HorizontalPodAutoscaler',
      37,
      'fail autoscaling/v2beta2 HorizontalPodAutoscaler is served no more since Kubernetes 1.26 (use autoscaling/v2 HorizontalPodAutoscaler)',
    ],
    [
      'policy/v1beta1',
      'PodSecurityPolicy',
      37,
      'fail policy/v1beta1 PodSecurityPolicy is served no more since Kubernetes 1.25',
    ],
    [
      'extensions/v1beta1',
      'Ingress',
      37,
      'fail extensions/v1beta1 Ingress is served no more since Kubernetes 1.22 (use networking.k8s.io/v1 Ingress)',
    ],
    [
      'networking.k8s.io/v1',
      'ServiceCIDR',
      30,
      'fail networking.k8s.io/v1 ServiceCIDR is served from Kubernetes 1.33 on, not in 1.30',
    ],
    [
      'v1',
      'Endpoints',
      37,
      'warn v1 Endpoints is deprecated since Kubernetes 1.33 (use discovery.k8s.io/v1 EndpointSlice)',
    ],
    [
      'apps/v1',
      'Deploymnt',
      37,
      'fail Kubernetes has no kind "Deploymnt" in "apps/v1" (did you mean "Deployment"?)',
    ],
    ['apps/v2', 'Deployment', 37, 'fail Kubernetes has no "Deployment" in "apps/v2" (use apps/v1)'],
    ['v1', 'Zzz', 37, 'fail Kubernetes has no kind "Zzz" in "v1"'],
    ['apps/v1', 'Deployment', 37, ''],
    ['a.example/v1', 'Deploymnt', 37, ''],
  ])('%s %s in 1.%s', (apiVersion, kind, minor, expected) => {
    const standing = standingOf(apiVersion, kind, minor);
    const text =
      standing && `${standing.result} ${standing.message}${standing.remedy ? ` (${standing.remedy})` : ''}`;
    expect(text ?? '').toBe(expected);
  });
});

const customKinds = (schema: string): CustomKinds =>
  readCustomKinds(
    read(
      `apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a}\nspec: {group: a.example, scope: Cluster, names: {kind: A}, versions: [{name: v1, schema: {openAPIV3Schema: ${schema}}}, {name: v2}]}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n`,
    ),
  );

describe('custom kinds', () => {
  const SCHEMA =
    '{type: object, properties: {spec: {type: object, required: [size, made], properties: {size: {type: integer, minimum: 1, maximum: 5, exclusiveMaximum: true}, made: {type: string, default: x}, port: {x-kubernetes-int-or-string: true}, free: {type: object, x-kubernetes-preserve-unknown-fields: true}, map: {type: object, additionalProperties: {type: string, enum: [a, b]}}, list: {type: array, items: {type: object, properties: {"n": {type: number, nullable: true}}}}, when: {type: string, pattern: "(a+)+$"}, either: {type: object, properties: {x: {type: string}, z: {type: string}}, oneOf: [{required: [x]}, {required: [z]}]}, pod: {type: object, x-kubernetes-embedded-resource: true, properties: {spec: {type: object}}}}}}}';
  const object = (spec: string, head = 'metadata: {name: a}'): string =>
    `apiVersion: a.example/v1\nkind: A\n${head}\nspec: ${spec}\n`;

  it.each([
    [
      '{size: 1, port: 80, free: {any: [1]}, map: {k: a}, list: [{"n": null}], when: aaaa, either: {x: "1"}, pod: {apiVersion: v1, kind: Pod, metadata: {name: b}}}',
      [],
    ],
    ['{size: 1, prt: 80}', ['schema.unknown-field /spec/prt: unknown field "prt" (did you mean "port"?)']],
    ['{size: "1"}', ['schema.type /spec/size: expected a whole number']],
    ['{size: 5}', ['schema.value /spec/size: must be < 5']],
    ['{}', ["schema.value /spec: must have required property 'size'"]],
    ['{size: 1, port: 1.5}', ['schema.type /spec/port: expected a whole number or text']],
    [
      '{size: 1, map: {k: c}}',
      ['schema.value /spec/map/k: must be equal to one of the allowed values: ["a","b"]'],
    ],
    ['{size: 1, list: [{m: 1}]}', ['schema.unknown-field /spec/list/0/m: unknown field "m"']],
    ['{size: 1, list: {}}', ['schema.type /spec/list: expected a list']],
    [
      '{size: 1, pod: {kind: "", spec: {}}}',
      [
        "schema.value /spec/pod: must have required property 'apiVersion'",
        "schema.value /spec/pod: must have required property 'kind'",
      ],
    ],
    [
      '{size: 1, pod: {apiVersion: v1, kind: Pod, metadata: {nam: b}}}',
      ['schema.unknown-field /spec/pod/metadata/nam: unknown field "nam" (did you mean "name"?)'],
    ],
  ])('are checked by their definition: %s', (spec, expected) => {
    expect(said(object(spec), { customKinds: customKinds(SCHEMA) })).toEqual(expected);
  });

  it('have the metadata of every object', () => {
    expect(
      said(object('{size: 1}', 'metadata: {name: a, labels: {a: 5}}'), { customKinds: customKinds(SCHEMA) }),
    ).toEqual(['schema.type /metadata/labels/a: expected text, found a number (quote it)']);
  });

  it('have no answer where their definition makes no sense', () => {
    expectThrown(
      () => said(object('{}'), { customKinds: customKinds('{type: object, required: [5]}') }),
      EngineError,
      'INPUT_SHAPE',
      'the definition of "a.example/v1 A" has no usable schema',
    );
  });

  it.each([
    [
      '{name: v1beta1, served: false}',
      [
        'schema.version /apiVersion: a.example/v1beta1 A is not served: its definition says so (use a.example/v2)',
      ],
    ],
    ['{name: v1beta1, served: true, deprecated: false}', []],
    [
      '{name: v1beta1, deprecated: true}',
      [
        'warn: schema.version /apiVersion: a.example/v1beta1 A is deprecated, as its definition says (use a.example/v2)',
      ],
    ],
    [
      '{name: v1beta1, deprecated: true, deprecationWarning: "go to\\nv2"}',
      [
        'warn: schema.version /apiVersion: a.example/v1beta1 A is deprecated, as its definition says: "go to\\nv2" (use a.example/v2)',
      ],
    ],
    [
      '{name: v1beta1, served: false, deprecated: true}',
      [
        'schema.version /apiVersion: a.example/v1beta1 A is not served: its definition says so (use a.example/v2)',
      ],
    ],
  ])('are served and deprecated as their definition says: %s', (version, expected) => {
    const kinds = readCustomKinds(
      read(
        `apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a}\nspec: {group: a.example, scope: Cluster, names: {kind: A}, versions: [{name: v3alpha1, served: true}, {name: v2, served: true}, {name: v3, served: false}, {name: v4, deprecated: true}, ${version}]}\n`,
      ),
    );
    expect(said('apiVersion: a.example/v1beta1\nkind: A', { customKinds: kinds })).toEqual(expected);
  });

  it('have no other version to go to where none is served', () => {
    const kinds = readCustomKinds(
      read(
        'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {group: a.example, names: {kind: A}, versions: [{name: v1, served: false}]}\n',
      ),
    );
    expect(said('apiVersion: a.example/v1\nkind: A', { customKinds: kinds })).toEqual([
      'schema.version /apiVersion: a.example/v1 A is not served: its definition says so',
    ]);
  });

  it('without a schema are as they are, and warn where no definition is given', () => {
    const kinds = customKinds('{type: object}');
    expect(said('apiVersion: a.example/v2\nkind: A\nfoo: 1', { customKinds: kinds })).toEqual([]);
    expect(said('apiVersion: a.example/v3\nkind: A', { customKinds: kinds })).toEqual([]);
    expect(said('apiVersion: a.example/v3\nkind: A', { customKinds: kinds, areAllDefined: true })).toEqual([
      'warn: schema.kind /kind: no CustomResourceDefinition says what "A" of "a.example/v3" is (add its definition to the folder of --crds)',
    ]);
    expect(kinds.isNamespaced('a.example/v1', 'A')).toBe(false);
    expect(kinds.isNamespaced('a.example/v3', 'A')).toBeUndefined();
    expect(openSchema({ enforcement: {}, customKinds: kinds }).references).toEqual([kinds.reference]);
  });
});

describe('words that were meant', () => {
  it.each([
    ['imag', 'image'],
    ['Image', 'image'],
    ['conatiners', 'containers'],
    ['x', undefined],
    ['volumes', undefined],
    ['a'.repeat(100), undefined],
  ])('%s: %s', (word, expected) => {
    expect(nearest(word, ['image', 'containers', 'name'])).toBe(expected);
  });
});

describe('spellings', () => {
  it.each([
    ['0.5', '500m'],
    ['1024Mi', '1Gi'],
    ['1.5Gi', '1536Mi'],
    ['1000', '1k'],
    ['1e3', '1e3'],
    ['0.1n', '1n'],
    ['100Ei', '9223372036854775807'],
    ['-1500m', '-1500m'],
    ['Ei', undefined],
    ['1 Gi', undefined],
    ['', undefined],
    ['1e99999', '1e99999'],
    ['1000e99999', '1e100002'],
    ['1e-99999', undefined],
  ])('the quantity %s is %s', (text, expected) => {
    expect(canonicalQuantity(text)).toBe(expected);
  });

  it.each([
    ['2024-01-01T00:30:00+01:00', false, '"2023-12-31T23:30:00Z"'],
    ['2024-01-01T9:00:00.5Z', false, '"2024-01-01T09:00:00Z"'],
    ['2024-01-01T09:00:00.123456Z', true, '"2024-01-01T09:00:00.123456Z"'],
    ['2024-01-01T09:00:00Z', true, undefined],
    ['0001-01-01T00:00:00Z', false, 'null'],
    ['2023-02-29T00:00:00Z', false, undefined],
    ['2024-02-29T24:00:00Z', false, undefined],
    ['yesterday', false, undefined],
  ])('the time %s is %s', (text, isMicro, expected) => {
    expect(canonicalTime(text, isMicro)).toBe(expected);
  });
});

describe("Kubernetes' own types", () => {
  const kube = openKube(resolve('engine/toolchain/built'));
  const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

  it('tell what is unknown, and fill in what the API server would', () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'a' },
      spec: { containers: [{ name: 'a', imag: 'b' }] },
    };
    expect(kube.decode(bytes(pod))).toMatchObject({
      known: true,
      strict: [{ path: 'spec.containers[0].imag', message: 'unknown field "spec.containers[0].imag"' }],
    });
    const filled: unknown = JSON.parse(Buffer.from(kube.defaulted(bytes(pod)).object).toString());
    expect(filled).toMatchObject({
      spec: {
        restartPolicy: 'Always',
        dnsPolicy: 'ClusterFirst',
        containers: [{ imagePullPolicy: 'IfNotPresent' }],
      },
    });
  });

  it('say nothing of other kinds, and outlive what is no object', () => {
    expect(kube.decode(bytes({ apiVersion: 'a.example/v1', kind: 'A' }))).toMatchObject({ known: false });
    expect(kube.decode(bytes([1]))).toMatchObject({ known: false });
    expect(kube.decode(Buffer.from('{'))).toMatchObject({ known: false });
    expect(kube.decode(bytes({ apiVersion: 'v1', kind: 'Pod', spec: 5 }))).toMatchObject({
      known: true,
      strict: [],
    });
  });
});
