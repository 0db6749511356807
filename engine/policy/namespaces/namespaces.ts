// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../../error.ts';
import type { Rule } from '../rule.ts';
import { isGlob, parseGlob } from './glob.ts';

/** Which packages Conftest-style rules are read from; Conftest's own default is `main`. */
export interface Namespaces {
  /** Names of packages and patterns of them (`parseGlob`). */
  readonly names: readonly string[];
  readonly all: boolean;
}

/** This very object where nobody has asked for anything. */
export const DEFAULT_NAMESPACES: Namespaces = { names: ['main'], all: false };

/** Whether rules of a package are read. */
export function isChosen({ names, all }: Namespaces, packageName: string): boolean {
  return all || names.some((name) => fits(name, packageName));
}

const fits = (name: string, packageName: string): boolean =>
  isGlob(name) ? parseGlob(name)?.(packageName) === true : name === packageName;

/** The first name that is a malformed pattern. */
export function malformedName(names: readonly string[]): string | undefined {
  return names.find((name) => isGlob(name) && parseGlob(name) === undefined);
}

/**
 * Refuses a name that was asked for and that no package with rules has: what was misspelt would be left out in silence.
 * @throws {EngineError} POLICY_EMPTY
 */
export function refuseUnmatched(namespaces: Namespaces, rules: readonly Rule[]): void {
  if (namespaces === DEFAULT_NAMESPACES || namespaces.all) return;
  const packages = rules
    .filter(({ style }) => style === 'conftest')
    .map(({ code }) => code.slice(0, code.lastIndexOf('.')));
  const missing = namespaces.names.find((name) => !packages.some((one) => fits(name, one)));
  if (missing === undefined) return;
  throw new EngineError('POLICY_EMPTY', `no package with rules is called ${JSON.stringify(missing)}`, {
    hint: 'check the spelling; * stands for any part of a name, dots too',
  });
}
