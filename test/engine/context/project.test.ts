// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { startSeconds } from '../../../engine/bounds.ts';
import {
  environmentNamed,
  environmentOfNamespace,
  type Project,
  readProject,
} from '../../../engine/context/project.ts';
import { EngineError } from '../../../engine/error.ts';
import { openYamlReader } from '../../../engine/toolchain/yaml.ts';
import { expectThrown, thrownBy } from '../../expect.ts';

const reader = openYamlReader(resolve('engine/toolchain/built'));
const HEAD = 'apiVersion: countersign.dev/v1alpha1\nkind: Project\n';
const read = (text: string): Project =>
  readProject({ name: 'countersign.yaml', bytes: Buffer.from(text) }, reader);

/** Code and faults (`line:column message`) of a Project that is refused. */
function refused(text: string): { code: string; problems: readonly string[] } {
  const error = thrownBy(() => read(text));
  if (!(error instanceof EngineError)) throw new Error('expected an EngineError', { cause: error });
  const faults = error.problems.length > 0 ? error.problems : [error];
  const problems = faults.map(({ location, message }) => {
    if (location !== undefined) expect(location.file).toBe('countersign.yaml');
    return `${location?.line ?? '-'}:${location?.column ?? '-'} ${message}`;
  });
  return { code: error.code, problems };
}
const schema = (...problems: string[]): object => ({ code: 'PROJECT_SCHEMA', problems });

describe('custom kinds', () => {
  it('have a scope', () => {
    const customKinds = [{ group: 'a.example', kind: 'Widget', scope: 'Cluster' }];
    expect(read(`${HEAD}customKinds: ${JSON.stringify(customKinds)}\n`).customKinds).toEqual(customKinds);
    expect(read(HEAD)).not.toHaveProperty('customKinds');
  });

  it.each([
    [
      '[{group: a.example, kind: A, scope: Cluster}, {group: a.example, kind: A, scope: Namespaced}]',
      '3:60 the scope of "a.example/A" is stated twice',
    ],
    ['[{group: a.example, kind: A}]', "3:15 must have required property 'scope'"],
    [
      '[{group: a.example, kind: A, scope: namespaced}]',
      '3:43 must be equal to one of the allowed values: ["Namespaced","Cluster"]',
    ],
    ['[{group: "", kind: A, scope: Cluster}]', '3:16 must match pattern "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"'],
  ])('are refused: %s', (kinds, problem) => {
    expect(refused(`${HEAD}customKinds: ${kinds}\n`)).toEqual(schema(problem));
  });
});

const FULL = `${HEAD}environments:
  - name: production/eu
    tier: production
    namespaces: [shop, pay]
    packs:
      - name: baseline
        parameters:
          images.registry: {registries: [r.example]}
    rules: {pod.read-only-root: warn, pod.privileged: deny, rbac.wildcard: audit}
    values: [deploy/values.yaml]
    kubernetes: v1.37.2
    apiVersions: [monitoring.coreos.com/v1]
  - {name: dev, tier: development}
unmapped: warn
policies:
  - {path: policies, namespaces: [main], parameters: {a.b: {c: 1}}}
ledger: {directory: .countersign}
issuers:
  - {name: shop, issuer: 'https://gitlab.shop.example', audience: countersign, kind: gitlab, jwks: {file: jwks.json}}
  - name: hub
    issuer: https://token.actions.githubusercontent.com
    audience: countersign
    kind: github
    jwks: {url: 'https://token.actions.githubusercontent.com/.well-known/jwks', private: false}
`;

describe('a Project', () => {
  it('is what the file says, whole', () => {
    expect(read(FULL)).toEqual({
      apiVersion: 'countersign.dev/v1alpha1',
      kind: 'Project',
      environments: [
        {
          name: 'production/eu',
          tier: 'production',
          namespaces: ['shop', 'pay'],
          packs: [{ name: 'baseline', parameters: { 'images.registry': { registries: ['r.example'] } } }],
          rules: { 'pod.read-only-root': 'warn', 'pod.privileged': 'deny', 'rbac.wildcard': 'audit' },
          values: ['deploy/values.yaml'],
          kubernetes: 'v1.37.2',
          apiVersions: ['monitoring.coreos.com/v1'],
        },
        { name: 'dev', tier: 'development' },
      ],
      unmapped: 'warn',
      policies: [{ path: 'policies', namespaces: ['main'], parameters: { 'a.b': { c: 1 } } }],
      ledger: { directory: '.countersign' },
      issuers: [
        {
          name: 'shop',
          issuer: 'https://gitlab.shop.example',
          audience: 'countersign',
          kind: 'gitlab',
          jwks: { file: 'jwks.json' },
        },
        {
          name: 'hub',
          issuer: 'https://token.actions.githubusercontent.com',
          audience: 'countersign',
          kind: 'github',
          jwks: { url: 'https://token.actions.githubusercontent.com/.well-known/jwks', private: false },
        },
      ],
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it('that says nothing maps nothing, and what is not mapped is denied', () => {
    expect(read(HEAD)).toMatchObject({ environments: [], unmapped: 'deny', policies: [] });
  });

  it('has the digest of its meaning: comments and order do not count, everything else does', () => {
    const { digest } = read(`${HEAD}unmapped: warn\nenvironments: []\n`);
    expect(read(`# c\nenvironments: []\nunmapped: "warn"\n${HEAD}`).digest).toBe(digest);
    expect(read(`${HEAD}unmapped: allow\nenvironments: []\n`).digest).not.toBe(digest);
  });
});

describe('a Project is refused, with line and column,', () => {
  it('where a key is not known, at any depth, all of them at once', () => {
    const text = `${HEAD}unmaped: allow
environments:
  - name: a
    tier: other
    namespace: [shop]
    packs:
      - {name: baseline, parameter: {}}
policies:
  - {path: p, package: main}
ledger: {directory: d, dir: e}
cluster: eu-1
`;
    expect(refused(text)).toEqual(
      schema(
        '13:1 unknown key "cluster"',
        '3:1 unknown key "unmaped"',
        '7:5 unknown key "namespace"',
        '9:26 unknown key "parameter"',
        '11:15 unknown key "package"',
        '12:24 unknown key "dir"',
      ),
    );
  });

  it.each([
    ['issuer', 'http://a.example'],
    ['issuer', 'https://user@a.example'],
    ['issuer', 'https://a.example?x'],
    ['issuer', ''],
    ['audience', ''],
    ['kind', 'other'],
    ['name', ''],
    ['jwks', {}],
    ['jwks', { file: 'a', url: 'https://a.example/jwks' }],
    ['jwks', { url: 'http://a.example/jwks' }],
    ['jwks', { url: 'https://a.example' }],
    ['jwks', { file: 'a', private: true }],
    ['keys', []],
    ['audience', undefined],
    ['jwks', undefined],
  ])('where an issuer has %s %j', (name, value) => {
    const good = {
      name: 'a',
      issuer: 'https://a.example',
      audience: 'b',
      kind: 'generic',
      jwks: { file: 'c' },
    };
    expect(read(`${HEAD}issuers: ${JSON.stringify([good])}\n`).issuers).toEqual([good]);
    const text = `${HEAD}issuers: ${JSON.stringify([{ ...good, [name]: value }])}\n`;
    expect(refused(text).code).toBe('PROJECT_SCHEMA');
  });

  it('where an issuer is declared twice', () => {
    const issuer = '{name: a, issuer: "https://a.example", audience: b, kind: generic, jwks: {file: c}}';
    expect(refused(`${HEAD}issuers:\n  - ${issuer}\n  - ${issuer}\n`)).toEqual(
      schema(
        '5:6 name "a" of an issuer is declared twice',
        '5:15 issuer "https://a.example" of an issuer is declared twice',
      ),
    );
  });

  it('where a key has a slash or a tilde in its name', () => {
    expect(refused(`${HEAD}"a/b~c": 1\n`)).toEqual(schema('3:1 unknown key "a/b~c"'));
  });

  it.each([
    [
      'a tier that there is not',
      'environments: [{name: a, tier: prod}]',
      '3:26 must be equal to one of the allowed values: ["production","staging","testing","development","other"]',
    ],
    ['an environment without a tier', 'environments:\n  - name: a', "4:5 must have required property 'tier'"],
    [
      'an environment without a name',
      'environments:\n  - tier: other',
      "4:5 must have required property 'name'",
    ],
    [
      'an empty name',
      'environments: [{name: "", tier: other}]',
      '3:17 must NOT have fewer than 1 characters',
    ],
    [
      'a rule that is off',
      'environments:\n  - {name: a, tier: other, rules: {pod.x: off}}',
      '4:36 must be equal to one of the allowed values: ["deny","warn","audit"]',
    ],
    [
      'a namespace with a wildcard',
      'environments:\n  - {name: a, tier: other, namespaces: ["shop-*"]}',
      '4:41 must match pattern "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"',
    ],
    [
      'namespaces that are text',
      'environments:\n  - {name: a, tier: other, namespaces: shop}',
      '4:28 must be array',
    ],
    [
      'another unmapped',
      'unmapped: ignore',
      '3:1 must be equal to one of the allowed values: ["deny","warn","allow"]',
    ],
    [
      'unmapped that is empty',
      'unmapped:',
      '3:1 must be equal to one of the allowed values: ["deny","warn","allow"]',
    ],
    ['a policy without a path', 'policies: [{namespaces: [a]}]', "3:12 must have required property 'path'"],
    [
      'a policy of no namespaces',
      'policies: [{path: a, namespaces: []}]',
      '3:22 must NOT have fewer than 1 items',
    ],
    ['a ledger that is text', 'ledger: here', '3:1 must be object'],
  ])('for %s', (_, yaml, problem) => {
    expect(refused(`${HEAD}${yaml}\n`)).toEqual(schema(problem));
  });

  it('where it is of another kind or version', () => {
    expect(refused('apiVersion: countersign.dev/v2\nkind: Projects\n')).toEqual(
      schema(
        '1:1 must be equal to constant: ["countersign.dev/v1alpha1"]',
        '2:1 must be equal to constant: ["Project"]',
      ),
    );
    expect(refused('[]\n').code).toBe('PROJECT_SCHEMA');
    expect(refused('text\n').code).toBe('PROJECT_SCHEMA');
  });

  it('where two environments have one name: which rules hold would be a matter of order', () => {
    expect(
      refused(`${HEAD}environments:\n  - {name: a, tier: other}\n  - {name: a, tier: production}\n`),
    ).toEqual(schema('5:6 environment "a" is declared twice'));
  });

  it('where a namespace is in two environments, or twice in one', () => {
    const yaml =
      'environments:\n  - {name: a, tier: other, namespaces: [p, q, p]}\n  - {name: b, tier: other, namespaces: [q]}\n';
    expect(refused(HEAD + yaml)).toEqual(
      schema(
        '4:47 namespace "p" is in environment "a" already',
        '5:41 namespace "q" is in environment "a" already',
      ),
    );
  });

  it('where two environments take what has no namespace', () => {
    const yaml =
      'environments:\n  - {name: a, tier: other, clusterScoped: true}\n  - {name: b, tier: other, clusterScoped: false}\n  - {name: c, tier: other, clusterScoped: true}\n';
    expect(refused(HEAD + yaml)).toEqual(
      schema('6:28 cluster-scoped objects are in environment "a" already'),
    );
  });

  it.each([
    ['that is empty', '', '1:1 there are no documents in "countersign.yaml"'],
    ['that is two', `${HEAD}---\n${HEAD}`, '-:- "countersign.yaml" holds 2 documents; a Project is one'],
  ])('where it is a file %s', (_, text, problem) => {
    const { code, problems } = refused(text);
    expect(['PROJECT_SYNTAX', 'PROJECT_SCHEMA']).toContain(code);
    expect(problems).toEqual([problem]);
  });

  it('where it is no YAML, or has a key twice', () => {
    expect(refused(`${HEAD}name: [\n`)).toMatchObject({ code: 'PROJECT_SYNTAX' });
    const twice = refused(`${HEAD}unmapped: deny\nunmapped: allow\n`);
    expect(twice).toMatchObject({ code: 'PROJECT_SYNTAX' });
    expect(twice.problems[0]).toMatch(/^4:1 /);
  });
});

describe('the environments of a Project', () => {
  const project = read(FULL);

  it('are found by their exact name', () => {
    expect(environmentNamed(project, 'dev')).toEqual({ name: 'dev', tier: 'development' });
    for (const name of ['Dev', 'de', 'production', '', '*', '__proto__']) {
      expect(thrownBy(() => environmentNamed(project, name))).toMatchObject({
        code: 'ENVIRONMENT_UNKNOWN',
        message: `there is no environment ${JSON.stringify(name)}`,
        hint: 'the Project declares: production/eu, dev',
      });
    }
    expect(thrownBy(() => environmentNamed(read(HEAD), 'dev'))).toMatchObject({
      hint: 'the Project declares no environments',
    });
  });

  it('have the namespaces that they list, and an environment that lists none has none', () => {
    expect(environmentOfNamespace(project, 'pay')?.name).toBe('production/eu');
    for (const namespace of ['', 'default', 'sho', 'shop2', 'dev', undefined])
      expect(environmentOfNamespace(project, namespace)).toBeUndefined();
  });

  it('have what is of no namespace where they say so, and only that', () => {
    const cluster = read(
      `${HEAD}environments: [{name: a, tier: other}, {name: b, tier: other, clusterScoped: true}]\n`,
    );
    expect(environmentOfNamespace(cluster, undefined)?.name).toBe('b');
    expect(environmentOfNamespace(cluster, '')).toBeUndefined();
  });
});

it('is not blamed for a reader that is damaged', () => {
  const broken = {
    ...reader,
    read: () => {
      throw new EngineError('TOOLCHAIN_DIGEST', 'the program "yaml" is not the one that was built');
    },
  };
  // With an anchor the ordinary reader has to be asked.
  const bytes = Buffer.from(`${HEAD}unmapped: &a deny\n`);
  expect(thrownBy(() => readProject({ name: 'countersign.yaml', bytes }, broken))).toMatchObject({
    code: 'TOOLCHAIN_DIGEST',
  });
});

describe('how long an allow may wait', () => {
  const of = (tier: 'production' | 'testing', startWithin?: string): number =>
    startSeconds({ name: 'a', tier, ...(startWithin === undefined ? {} : { startWithin }) });

  it('is as the environment says, else eight hours in production and seven days elsewhere', () => {
    expect([of('production'), of('testing')]).toEqual([28_800, 604_800]);
    expect([of('production', '30m'), of('production', '12h'), of('production', '7d')]).toEqual([
      1800, 43_200, 604_800,
    ]);
  });

  it('is seven days at the most', () => {
    expect(of('testing', '9999m')).toBe(599_940);
    for (const startWithin of ['8d', '169h', '0m', '1w', 'h', '-1h'])
      expectThrown(
        () => read(`${HEAD}environments: [{name: a, tier: other, startWithin: ${startWithin}}]`),
        EngineError,
        'PROJECT_SCHEMA',
      );
  });
});
