// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../error.ts';
import type { RegoModuleInfo, RegoSource } from '../toolchain/rego.ts';
import { conftestRule, nativeRule } from './metadata.ts';
import { isChosen, type Namespaces } from './namespaces/index.ts';
import type { Effect, Entry, Rule } from './rule.ts';

const NATIVE = 'countersign.rules.';
const SET = 'countersign.set.';
const OURS = 'countersign';
const LIBRARY = 'countersign.lib';

/** The code of a native rule: its package below `countersign.rules.`, with `_` written as `-`. */
export function nativeCode(packageName: string): string {
  return packageName.slice(NATIVE.length).replaceAll('_', '-');
}

const isTest = (module: RegoModuleInfo): boolean =>
  module.file.endsWith('_test.rego') || module.package.endsWith('_test');

/** What a rule of this name does in a package of Conftest's style; undefined for a rule that says nothing of an object. */
export function conftestEffect(name: string): Effect | undefined {
  if (name === 'exception') return 'exception';
  if (name === 'warn' || name.startsWith('warn_')) return 'warn';
  return /^(deny|violation)(_|$)/.test(name) ? 'fail' : undefined;
}

function nativeEntries(module: RegoModuleInfo): Entry[] {
  const code = nativeCode(module.package);
  const names = new Set(
    module.rules.map((rule) => rule.name).filter((name) => name === 'deny' || name === 'warn'),
  );
  if (names.size === 0) {
    throw new EngineError(
      'POLICY_EMPTY',
      `native rule ${JSON.stringify(code)} has neither "deny" nor "warn"`,
      {
        location: { file: module.file, line: 1, column: 1 },
        hint: 'a native rule is a package below countersign.rules with a set "deny" or "warn"',
      },
    );
  }
  const rule = nativeRule(module, code);
  return [...names].sort().map((name) => entry(module, name, name === 'deny' ? 'fail' : 'warn', rule));
}

function entry(module: RegoModuleInfo, name: string, effect: Effect, rule: Rule): Entry {
  return { key: `${module.package}/${name}`, path: [...module.package.split('.'), name], effect, rule };
}

function conftestEntries(module: RegoModuleInfo): Entry[] {
  const names = new Set(module.rules.filter((rule) => rule.kind !== 'function').map((rule) => rule.name));
  return [...names].sort().flatMap((name) => {
    const effect = conftestEffect(name);
    return effect === undefined ? [] : [entry(module, name, effect, conftestRule(module, name))];
  });
}

const isWithin = (name: string, parent: string): boolean => name === parent || name.startsWith(`${parent}.`);

/**
 * Packages below `countersign` that are none of ours: a rule under a misspelt name (`countersign.rule.pod.x`) would be left out in
 * silence, and one named as the generated entrypoint would speak for others.
 */
function refuseReserved(module: RegoModuleInfo): void {
  const { file, package: name } = module;
  if (!isWithin(name, OURS) || name.startsWith(NATIVE) || isWithin(name, LIBRARY)) return;
  const location = { file, line: 1, column: 1 };
  const [message, hint] = name.startsWith(SET)
    ? [
        'rules over a whole set are not available',
        'write the rule for one object at a time, below countersign.rules',
      ]
    : [
        'no rules are read from this package',
        'native rules are below countersign.rules, as countersign.rules.pod.x, and libraries below countersign.lib',
      ];
  throw new EngineError('POLICY_METADATA', `${message}: package ${JSON.stringify(name)}`, { location, hint });
}

/**
 * The entries that a policy's modules offer: native rules below `countersign.rules.`, Conftest's in the chosen packages.
 * Tests and libraries offer none. A rule spread over several files of one package is one entry.
 * @throws {EngineError} POLICY_METADATA | POLICY_EMPTY
 */
export function entriesOf(modules: readonly RegoModuleInfo[], namespaces: Namespaces): readonly Entry[] {
  const found = new Map<string, Entry>();
  for (const module of modules) {
    if (isTest(module)) continue;
    refuseReserved(module);
    for (const offered of offeredBy(module, namespaces)) {
      if (!found.has(offered.key)) found.set(offered.key, offered);
    }
  }
  return [...found.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

function offeredBy(module: RegoModuleInfo, namespaces: Namespaces): readonly Entry[] {
  if (module.package.startsWith(NATIVE)) return nativeEntries(module);
  if (isWithin(module.package, OURS)) return [];
  return isChosen(namespaces, module.package) ? conftestEntries(module) : [];
}

/** Packages with rules in Conftest's style that no entry is read from, by the look of their sources: enough for a note. */
export function unreadPackages(sources: readonly RegoSource[], entries: readonly Entry[]): readonly string[] {
  const read = new Set(entries.map(({ path }) => path.slice(0, -1).join('.')));
  const packages = sources
    .filter(({ text }) => /^(?:deny|violation|warn)(?:_\w+)?\b/m.test(text))
    .map(({ text }) => /^package\s+([\w.]+)/m.exec(text)?.[1] ?? '');
  return [...new Set(packages)]
    .filter((name) => name !== '' && !isWithin(name, OURS) && !read.has(name))
    .sort();
}
