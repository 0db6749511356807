// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { EngineError } from '../../../engine/error.ts';
import { DEFAULT_NAMESPACES, type Namespaces } from '../../../engine/policy/namespaces/index.ts';
import { entriesOf, nativeCode } from '../../../engine/policy/style.ts';
import type { RegoModuleInfo } from '../../../engine/toolchain/rego.ts';
import { expectThrown, thrownBy } from '../../expect.ts';
import { annotationOf, moduleOf } from './modules.ts';

const ALL: Namespaces = { names: [], all: true };
const native = (name: string, rules: readonly string[], file?: string): RegoModuleInfo =>
  moduleOf(name, rules, { annotations: [annotationOf(name)], ...(file === undefined ? {} : { file }) });

/** `key effect code` of each entry. */
const offered = (modules: readonly RegoModuleInfo[], namespaces = DEFAULT_NAMESPACES): readonly string[] =>
  entriesOf(modules, namespaces).map(({ key, effect, rule }) => `${key} ${effect} ${rule.code}`);

describe('a native rule', () => {
  it('is a package below countersign.rules with deny, warn or both', () => {
    const name = 'countersign.rules.pod.host_path';
    expect(entriesOf([native(name, ['deny', 'helper', 'warn'])], DEFAULT_NAMESPACES)).toEqual([
      {
        key: `${name}/deny`,
        path: ['countersign', 'rules', 'pod', 'host_path', 'deny'],
        effect: 'fail',
        rule: {
          code: 'pod.host-path',
          style: 'native',
          title: 'A title',
          severity: 'high',
          controls: ['pss:baseline'],
          remedy: 'mend it',
        },
      },
      expect.objectContaining({ key: `${name}/warn`, effect: 'warn' }),
    ]);
  });

  it('is coded by its package', () => {
    expect(nativeCode('countersign.rules.pod.run_as_non_root')).toBe('pod.run-as-non-root');
  });

  it('without deny and warn is an error: it would never say no', () => {
    const error = thrownBy(() => offered([native('countersign.rules.pod.x', ['violation', 'denied'])]));
    expect(error).toBeInstanceOf(EngineError);
    expect(error).toMatchObject({
      code: 'POLICY_EMPTY',
      message: 'native rule "pod.x" has neither "deny" nor "warn"',
      location: { file: 'countersign/rules/pod/x.rego', line: 1, column: 1 },
    });
  });

  it('is offered whatever the namespaces are', () => {
    for (const namespaces of [DEFAULT_NAMESPACES, ALL, { names: [], all: false }])
      expect(offered([native('countersign.rules.pod.x', ['deny'])], namespaces)).toEqual([
        'countersign.rules.pod.x/deny fail pod.x',
      ]);
  });
});

describe('Conftest rules', () => {
  it('are known by their names', () => {
    const names = [
      ...['deny', 'deny_', 'deny_a', 'violation', 'violation_a', 'warn', 'warn_a', 'exception'],
      ...['denyed', 'denied', 'violations', 'warning', 'exceptions', 'helper', 'deny_function()', 'warn()'],
    ];
    expect(offered([moduleOf('main', names)])).toEqual([
      'main/deny fail main.deny',
      'main/deny_ fail main.deny_',
      'main/deny_a fail main.deny_a',
      'main/exception exception main.exception',
      'main/violation fail main.violation',
      'main/violation_a fail main.violation_a',
      'main/warn warn main.warn',
      'main/warn_a warn main.warn_a',
    ]);
  });

  it('are read from the packages that are named, or from all', () => {
    const modules = [moduleOf('main', ['deny']), moduleOf('team.a', ['deny']), moduleOf('mainly', ['deny'])];
    expect(offered(modules)).toEqual(['main/deny fail main.deny']);
    expect(offered(modules, { names: ['team.a'], all: false })).toEqual(['team.a/deny fail team.a.deny']);
    expect(offered(modules, { names: ['team'], all: false })).toEqual([]);
    expect(offered(modules, ALL)).toHaveLength(3);
  });

  it('spread over several files of one package are one entry, ordered by key', () => {
    const modules = [
      moduleOf('main', ['warn', 'deny'], { file: 'b.rego' }),
      moduleOf('main', ['deny', 'deny_a'], { file: 'a.rego' }),
    ];
    expect(offered(modules)).toEqual([
      'main/deny fail main.deny',
      'main/deny_a fail main.deny_a',
      'main/warn warn main.warn',
    ]);
  });
});

describe('no rules are offered', () => {
  it('by tests, whatever they define', () => {
    const modules = [
      moduleOf('main', ['deny'], { file: 'main_test.rego' }),
      moduleOf('main_test', ['deny']),
      moduleOf('countersign.set.x', ['deny'], { file: 'x_test.rego' }),
      moduleOf('countersign.rules.pod.x_test', ['test_it']),
    ];
    expect(offered(modules, ALL)).toEqual([]);
  });

  it('by libraries', () => {
    const modules = [moduleOf('countersign.lib', ['deny']), moduleOf('countersign.lib.pods', ['warn'])];
    expect(offered(modules, ALL)).toEqual([]);
  });

  it.each([
    'countersign',
    'countersign.rule.pod.x',
    'countersign.rules',
    'countersign.library',
    'countersign.entrypoint',
    'countersign.parameters',
  ])('by %s, and that is an error: the rule would be left out in silence', (name) => {
    expectThrown(
      () => offered([moduleOf('main', ['deny']), moduleOf(name, ['deny'])], ALL),
      EngineError,
      'POLICY_METADATA',
      `no rules are read from this package: package ${JSON.stringify(name)}`,
    );
  });

  it('over whole sets yet, and that is an error', () => {
    expectThrown(
      () => offered([moduleOf('countersign.set.x', ['deny'])]),
      EngineError,
      'POLICY_METADATA',
      'rules over a whole set are not available: package "countersign.set.x"',
    );
  });

  it('by a package that only looks like ours', () => {
    expect(offered([moduleOf('countersigned', ['deny'])], ALL)).toEqual([
      'countersigned/deny fail countersigned.deny',
    ]);
  });
});
