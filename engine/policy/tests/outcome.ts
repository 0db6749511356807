// SPDX-License-Identifier: Apache-2.0
import { isRegoObject, type RegoValue } from '../../rego/index.ts';
import type { RegoTest } from '../../toolchain/rego.ts';

/** How a test ended. */
export type Outcome = 'pass' | 'fail' | 'error' | 'skip';

/** How a test ended on the compiled module: an outcome, or the builtins for want of which it could not run there. */
export type ModuleOutcome =
  | { readonly outcome: Outcome; readonly detail?: string }
  | { readonly missing: readonly string[] };

/** How a test ended on OPA's evaluator. */
export function outcomeOf(test: RegoTest): Outcome {
  if (test.skip) return 'skip';
  if (test.error !== undefined) return 'error';
  return test.fail ? 'fail' : 'pass';
}

/**
 * How a test whose value the module gave ended there. One with cases passes where the same cases hold as on OPA's evaluator: the module
 * cannot name those that do not.
 */
export function outcomeOn(test: RegoTest, value: RegoValue | undefined): ModuleOutcome {
  const hasCases = test.cases !== undefined || (test.error === undefined && !test.fail && isEmpty(value));
  if (!hasCases) return value === true ? { outcome: 'pass' } : { outcome: 'fail', ...detailOf(value) };
  const wanted = (test.cases ?? []).filter(({ fail }) => !fail).map(({ name }) => JSON.stringify(name));
  const held = casesOf(value, []).map((name) => JSON.stringify(name));
  const isSame = JSON.stringify(wanted.sort()) === JSON.stringify(held.sort());
  if (isSame) return { outcome: outcomeOf(test) };
  return { outcome: test.fail ? 'pass' : 'fail', detail: `cases that hold: ${held.join(', ') || 'none'}` };
}

const isEmpty = (value: RegoValue | undefined): boolean =>
  isRegoObject(value) && Object.keys(value).length === 0;

const detailOf = (value: RegoValue | undefined): { readonly detail?: string } =>
  value === undefined || value === false ? {} : { detail: 'its value is not true' };

/** The names of all members that are true, down to the leaves. */
function casesOf(value: RegoValue | undefined, name: readonly string[]): readonly (readonly string[])[] {
  if (value === true) return [name];
  const members: readonly (readonly [RegoValue, RegoValue])[] = isRegoObject(value)
    ? Object.entries(value)
    : value instanceof Map
      ? [...value]
      : [];
  return members.flatMap(([key, item]) => casesOf(item, [...name, nameOf(key)]));
}

const nameOf = (key: RegoValue): string =>
  typeof key === 'string' ? key : typeof key === 'bigint' ? key.toString() : JSON.stringify(key);
