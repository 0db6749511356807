// SPDX-License-Identifier: Apache-2.0
// A flag that would have no effect is refused, or said to have none: somebody counts on it. Every flag of every verb is either one
// that always has an effect, or has a case here, or stands in its verb's list with what it needs.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { Verb } from '../../cli/args.ts';
import { VERBS } from '../../cli/verbs.ts';
import { countersign } from './world.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-idle-'));
afterAll(() => rmSync(folder, { recursive: true }));
const put = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const HEAD = 'apiVersion: countersign.dev/v1alpha1\nkind: Project\n';
const EMPTY_PROJECT = put('empty.yaml', HEAD);
const RULES = 'examples/conftest/policy';
const OBJECT = 'examples/shop-mended/deploy/network.yaml';
const state = join(folder, 'state');

const verbs: readonly Verb[] = await Promise.all(Object.values(VERBS).map(({ load }) => load()));
const flagsOf = verbs.flatMap((verb) =>
  Object.entries(verb.flags).map(([name, flag]) => ({ verb: verb.name, name, flag })),
);
const given = (verb: string, name: string): string[] => {
  const value = flagsOf.find((one) => one.verb === verb && one.name === name)?.flag.value;
  return value === undefined ? [`--${name}`] : [`--${name}`, 'x'];
};

describe('a flag that needs another', () => {
  const cases = flagsOf.flatMap(({ verb, name, flag: { needs } }) =>
    needs === undefined ? [] : [[verb, name, needs] as const],
  );

  it.each(cases)('%s --%s is refused without --%s', async (verb, name, needs) => {
    const missing = needs.map((flag) => `--${flag}`).join(' or ');
    expect(await countersign([...verb.split(' '), ...given(verb, name)])).toEqual({
      exit: 2,
      out: '',
      err: `countersign: --${name} needs ${missing}\nhint: without it --${name} has no effect; see countersign ${verb} --help\n`,
    });
  });
});

describe('flags that exclude each other', () => {
  const cases = flagsOf.flatMap(({ verb, name, flag: { excludes = [] } }) =>
    excludes.map((other) => [verb, name, other] as const),
  );

  it.each(cases)('%s --%s and --%s', async (verb, name, other) => {
    const argv = [...verb.split(' '), ...given(verb, name), ...given(verb, other)];
    expect(await countersign(argv)).toEqual({
      exit: 2,
      out: '',
      err: `countersign: --${name} and --${other} exclude each other\nhint: give one of them\n`,
    });
  });
});

const ABOUT_BUNDLES = [
  ['trust', 't', 'no policy is an archive or oci://…'],
  ['lock', 'l', 'no policy is an archive or oci://…'],
  ['allow-bundle', 'sha256:0', 'no policy is an archive or oci://…'],
  ['plain-http', undefined, 'no policy is oci://…'],
  ['allow-private', 'registry.example', 'no policy is oci://…'],
] as const;
/** Each verb that loads policies, with a folder of Rego, which is no bundle. */
const LOADING = [
  ['check', [OBJECT, '--policy', RULES]],
  ['serve', ['--policy', RULES]],
  ['policy build', [RULES]],
  ['policy build', [RULES, '--bundle']],
  ['policy check', [RULES]],
  ['policy test', [RULES]],
  ['policy bench', [RULES]],
  ['policy eval', ['1', '--policy', RULES]],
  ['policy eval', ['1']],
  ['policy deps', ['data.main.deny', '--policy', RULES]],
  ['policy inspect', [RULES]],
] as const;

describe('a flag about bundles, where there is none', () => {
  const cases = LOADING.flatMap(([verb, argv]) =>
    ABOUT_BUNDLES.map(([flag, value, what]) => [verb, flag, value, what, argv] as const),
  );

  it.each(cases)('%s --%s %s: %s (%j)', async (verb, flag, value, what, argv) => {
    const all = [...verb.split(' '), ...argv, `--${flag}`, ...(value === undefined ? [] : [value])];
    expect(await countersign(all)).toEqual({
      exit: 2,
      out: '',
      err: `countersign: --${flag} has no effect: ${what}\nhint: leave it out, or name the policies that it is about\n`,
    });
  });
});

const HINT = 'leave it out, or name the policies that it is about';
const BUNDLE = join(folder, 'nothing.tar.gz');
const TAG = 'oci://registry.example/policies:1';
const CASES: readonly (readonly [verb: string, flag: string, argv: readonly string[], message: string])[] = [
  ['check', 'data', [OBJECT, '--data', 'x'], '--data needs --policy: the shipped packs read no data'],
  ...['approvals', 'requester', 'author'].map(
    (flag) =>
      [
        'check',
        flag,
        [OBJECT, `--${flag}`, 'x'],
        `--${flag} has no effect: no environment is chosen`,
      ] as const,
  ),
  ['serve', 'data', ['--data', 'x'], '--data needs --policy: the shipped packs read no data'],
  ...[['check', OBJECT] as const, ['serve'] as const, ['policy eval', '1'] as const].map(
    ([verb, ...argv]) =>
      [
        verb,
        'verification-key',
        [...argv, '--verification-key', 'k'],
        '--verification-key has no effect: no policy is named that the key could verify',
      ] as const,
  ),
  ...['allow-bundle', 'lock'].map(
    (flag) =>
      [
        'check',
        flag,
        [OBJECT, '--policy', BUNDLE, `--${flag}`, 'x'],
        `--${flag} has no effect: no key is trusted for policy`,
      ] as const,
  ),
  [
    'serve',
    'follow',
    ['--policy', RULES, '--refresh', '60', '--follow'],
    '--follow has no effect: no policy is oci://…',
  ],
  [
    'serve',
    'follow',
    ['--policy', TAG, '--refresh', '60', '--follow'],
    '--follow has no effect: no key is trusted for policy',
  ],
  ...['policy', 'parameters', 'strict-errors'].map(
    (flag) =>
      [
        'serve',
        flag,
        ['--project', EMPTY_PROJECT, `--${flag}`, ...(flag === 'strict-errors' ? [] : ['x'])],
        `--${flag} has no effect: the Project declares no environments`,
      ] as const,
  ),
  ['serve', 'publish-every', ['--publish-every', '5'], '--publish-every has no effect: nothing is published'],
  ['policy pull', 'env', [TAG, '--env', 'production'], '--env has no effect: no key is trusted for policy'],
  [
    'policy pull',
    'allow-bundle',
    [TAG, '--allow-bundle', 'x'],
    '--allow-bundle has no effect: no key is trusted for policy',
  ],
  [
    'policy deps',
    'data',
    ['data.main.deny', '--data', 'data.json'],
    '--data "data.json" has no effect: it is no Rego',
  ],
  ...['plain-http', 'allow-private'].map(
    (flag) =>
      [
        'attest',
        flag,
        [OBJECT, '--predicate', EMPTY_PROJECT, '--type', 'spdx', '--key', 'k', `--${flag}`].concat(
          flag === 'allow-private' ? ['x'] : [],
        ),
        `--${flag} has no effect: ${JSON.stringify(OBJECT)} is no image`,
      ] as const,
  ),
  ['policy test', 'coverage', [RULES, '--format', 'junit', '--coverage'], '--coverage has no place in junit'],
];

describe('other flags without effect', () => {
  it.each(CASES)('%s --%s %j', async (verb, flag, argv, message) => {
    const { exit, out, err } = await countersign([...verb.split(' '), ...argv]);
    expect({ exit, out, first: err.split('\n')[0] }).toEqual({
      exit: 2,
      out: '',
      first: `countersign: ${message}`,
    });
    expect(Object.keys(verbs.find(({ name }) => name === verb)?.flags ?? {})).toContain(flag);
  });

  it('hint at what to do', async () => {
    const { err } = await countersign(['check', OBJECT, '--policy', BUNDLE, '--lock', 'x']);
    expect(err.split('\n')[1]).toBe(`hint: ${HINT}`);
  });

  it('of serve are named where a configuration is printed that does not follow from them', async () => {
    const argv = ['serve', '--print-manifest', '--state', state, '--drain-delay', '5', '--listen', '[::1]:1'];
    const { exit, out, err } = await countersign(argv);
    expect({ exit, err }).toEqual({
      exit: 0,
      err: 'note: --print-manifest takes no account of --listen, --drain-delay\n',
    });
    expect(out).toContain('kind: ValidatingWebhookConfiguration');
  });
});

/** These always have an effect, or ask for what holds anyway. */
const ALWAYS: Readonly<Record<string, string>> = {
  render: 'digest env project',
  check: 'no-cache schema crds against policy strict-errors env project parameters format fail-on record key',
  'verify record': 'namespace trust manifests env cluster at project policy-digest format',
  replay: 'from state policy instead format',
  'inputs prune': 'project state dry-run',
  'report evidence': 'framework env from to trust state out',
  'report sample': 'env from to count seed changes trust state out',
  'report vsa': 'trust project env key state out',
  'verify bundle': 'bundle key trusted-root tuf-mirror type no-log format',
  'verify image': 'key trusted-root tuf-mirror type no-log format plain-http allow-private',
  serve:
    'listen threads state project env refresh key metrics-token-file drain-delay host print-manifest namespace publish ledger',
  waive: 'object reason ticket expires env key project out',
  waivers: 'env project approvals format',
  approve: 'role comment expires previous env key project out',
  'approvals import': 'run token commit role expires env key project into',
  revoke: 'reason env key project out',
  'break-glass': 'incident for reason env key project out',
  reviews: 'env project',
  lock: 'release image objects namespace env key project out',
  unlock: 'release role env key project out',
  'verify lock': 'env project namespace',
  'policy build': 'output bundle entrypoint optimize verification-key',
  'policy check': 'schema watch verification-key',
  'policy test': 'run threshold verbose timeout data format watch verification-key',
  'policy fmt': 'write diff fail',
  'policy eval': 'target entrypoint policy data input format explain strict-builtin-errors fail fail-defined',
  'policy inspect': 'format verification-key',
  'policy deps': 'policy format verification-key',
  'policy bench': 'input entrypoint duration optimize data parameters format verification-key',
  sign: 'key bundle rekor timestamp',
  attest: 'predicate type key bundle rekor timestamp',
  'policy sign': 'key name release expires',
  'policy push': 'plain-http allow-private',
  'policy pull': 'output update project lock trust plain-http allow-private verification-key',
  'records list': 'artefact env actor rule verdict type from to limit before format state project ledger',
  'records show': 'format state project ledger',
  'records export': 'artefact env actor rule verdict type from to format state project ledger',
  'records prove': 'checkpoint output state project ledger',
  'records verify': 'since trust format state project ledger',
  'records checkpoint': 'state project ledger',
  'records publish': 'to state project ledger',
  'records trusted-root': 'state project ledger',
  'records tiles': 'state project ledger',
  init: '',
};
/** What a chart, an overlay or a source is rendered with: `refuseIdle` of cli/inputs says what becomes of them where there is none. */
const OF_RENDERING =
  'values set set-string set-file release namespace kube-version api-versions include-crds from values-from chart root'.split(
    ' ',
  );
/** Whose languages are told apart with the flags themselves, or by all verbs alike. */
const OF_LANGUAGE = ['v0-compatible', 'v1-compatible', 'all-policy-namespaces'];

describe('every flag', () => {
  it('has its place', () => {
    const isPlaced = ({ verb, name, flag }: (typeof flagsOf)[number]): boolean =>
      flag.needs !== undefined ||
      flag.excludes !== undefined ||
      OF_LANGUAGE.includes(name) ||
      ((verb === 'check' || verb === 'render') && OF_RENDERING.includes(name)) ||
      (ALWAYS[verb] ?? '').split(' ').includes(name) ||
      CASES.some(([ofVerb, ofFlag]) => ofVerb === verb && ofFlag === name) ||
      (LOADING.some(([ofVerb]) => ofVerb === verb) && ABOUT_BUNDLES.some(([ofFlag]) => ofFlag === name));
    expect(flagsOf.filter((one) => !isPlaced(one)).map(({ verb, name }) => `${verb} --${name}`)).toEqual([]);
  });

  it('that is said to have its place is there', () => {
    const stated = Object.entries(ALWAYS).flatMap(([verb, names]) =>
      names
        .split(' ')
        .filter(Boolean)
        .map((name) => `${verb} --${name}`),
    );
    const there = flagsOf.map(({ verb, name }) => `${verb} --${name}`);
    expect(stated.filter((one) => !there.includes(one))).toEqual([]);
  });
});
