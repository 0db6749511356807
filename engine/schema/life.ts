// SPDX-License-Identifier: Apache-2.0
import { nearest } from './suggest.ts';
import { goneKind, groupOf, kindOf, kindsOfGroup, type Life } from './table.ts';

/** What is to be said of a kind in one version of Kubernetes. */
export interface Standing {
  readonly rule: 'schema.version' | 'schema.kind';
  readonly result: 'fail' | 'warn';
  readonly message: string;
  readonly remedy?: string;
  /** RFC 6901 pointer to what is wrong. */
  readonly path: '/apiVersion' | '/kind';
}

/**
 * Whether Kubernetes 1.`minor` serves a kind: one that it serves no more, or not yet, and one that a built-in group does not have, fails;
 * a deprecated one warns. Nothing is said of groups that are not built in.
 */
export function standingOf(apiVersion: string, kind: string, minor: number): Standing | undefined {
  const life = kindOf(apiVersion, kind) ?? goneKind(apiVersion, kind);
  if (life !== undefined) return servedIn(`${apiVersion} ${kind}`, life, minor);
  const others = kindsOfGroup(groupOf(apiVersion));
  return others.length === 0 ? undefined : unknownKind(apiVersion, kind, others);
}

function servedIn(name: string, life: Life, minor: number): Standing | undefined {
  const { introduced, deprecated, removed, replacement } = life;
  const remedy = replacement === '' ? {} : { remedy: `use ${replacement}` };
  const base = { rule: 'schema.version', path: '/apiVersion', ...remedy } as const;
  if (removed > 0 && minor >= removed)
    return { ...base, result: 'fail', message: `${name} is served no more since Kubernetes 1.${removed}` };
  if (minor < introduced)
    return {
      ...base,
      result: 'fail',
      message: `${name} is served from Kubernetes 1.${introduced} on, not in 1.${minor}`,
    };
  if (deprecated === 0 || minor < deprecated) return undefined;
  const end = removed > 0 ? `, and served no more from 1.${removed} on` : '';
  return { ...base, result: 'warn', message: `${name} is deprecated since Kubernetes 1.${deprecated}${end}` };
}

function unknownKind(
  apiVersion: string,
  kind: string,
  others: readonly { readonly apiVersion: string; readonly kind: string }[],
): Standing {
  const elsewhere = others.filter((other) => other.kind === kind).map((other) => other.apiVersion);
  if (elsewhere.length > 0)
    return {
      rule: 'schema.kind',
      result: 'fail',
      message: `Kubernetes has no ${JSON.stringify(kind)} in ${JSON.stringify(apiVersion)}`,
      remedy: `use ${newest(elsewhere)}`,
      path: '/apiVersion',
    };
  const meant = nearest(kind, [...new Set(others.map((other) => other.kind))]);
  return {
    rule: 'schema.kind',
    result: 'fail',
    message: `Kubernetes has no kind ${JSON.stringify(kind)} in ${JSON.stringify(apiVersion)}`,
    ...(meant === undefined ? {} : { remedy: `did you mean ${JSON.stringify(meant)}?` }),
    path: '/kind',
  };
}

/** The first in Kubernetes' order: a stable version before beta and alpha, a later one before an earlier; empty for none. */
export function newest(apiVersions: readonly string[]): string {
  const rank = (apiVersion: string): number => {
    const [, major = '0', stage, number = '0'] = /v(\d+)(?:(alpha|beta)(\d+))?$/.exec(apiVersion) ?? [];
    const stages = { alpha: 1, beta: 2, stable: 3 } as const;
    const at = stage === 'alpha' || stage === 'beta' ? stages[stage] : stages.stable;
    return at * 1e6 + Number(major) * 1e3 + Number(number);
  };
  return [...apiVersions].sort((a, b) => rank(b) - rank(a))[0] ?? '';
}
