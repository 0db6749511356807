// SPDX-License-Identifier: Apache-2.0
// Policies that are functions, documents and a judge over them, for tests of what happens around an evaluation.
import { hash } from 'node:crypto';
import type { Change } from '../../engine/change.ts';
import type { Project } from '../../engine/context/project.ts';
import { EngineError } from '../../engine/error.ts';
import { type Document, idOf, type JsonValue } from '../../engine/manifest/document.ts';
import type { Policy, PolicyParts, RawResult } from '../../engine/policy/policy.ts';
import type { Style } from '../../engine/policy/rule.ts';
import type { RegoValue } from '../../engine/rego/index.ts';

/** One rule: what it says of an input, as its Rego would. */
export interface TestRule {
  readonly code: string;
  readonly style?: Style;
  readonly effect?: 'fail' | 'warn';
  readonly says: (input: Record<string, JsonValue>) => RegoValue;
}

/** Functions come from nowhere that another thread could load them from. */
export const NO_PARTS: PolicyParts = {
  kind: 'module',
  file: { path: 'policy.wasm', bytes: new Uint8Array(), entrypoints: [] },
  facts: { name: '', revision: '', data: {}, namespaces: { names: [], all: false }, answered: new Set() },
};

export function policyOf(name: string, rules: readonly TestRule[]): Policy {
  const about = rules.map(({ code, style = 'native' }) => ({
    code,
    style,
    title: code,
    severity: 'high' as const,
    controls: [],
  }));
  return {
    reference: {
      name,
      revision: '',
      digest: hash('sha256', name, 'hex'),
      sources: hash('sha256', name, 'hex'),
    },
    styles: [...new Set(about.map((rule) => rule.style))],
    rules: about,
    parts: NO_PARTS,
    setData: () => undefined,
    removeData: () => undefined,
    evaluate: (style, input) => ({
      failures: [],
      results: rules.flatMap((rule, index): RawResult[] => {
        const own = about[index];
        if (own === undefined || own.style !== style) return [];
        const value = rule.says(JSON.parse(Buffer.from(input).toString()));
        const entry = { key: rule.code, path: ['main', 'deny'], effect: rule.effect ?? 'fail', rule: own };
        return Array.isArray(value) && value.length === 0 ? [] : [{ entry, value }];
      }),
    }),
  };
}

/** A rule that says one thing of an object that fits, at a place. */
export function ruleAt(code: string, path: string, fits: (object: JsonValue) => boolean): TestRule {
  return { code, says: ({ object = null }) => (fits(object) ? [{ msg: `${code} fails`, path }] : []) };
}

/** What an evaluation does that passes its limit. */
export function limitPassed(): never {
  throw new EngineError('POLICY_LIMIT', 'too many steps');
}

export function documentOf(value: JsonValue): Document {
  const json = Buffer.from(JSON.stringify(value));
  return { json, value, id: idOf(value), file: 'admission', line: 1, index: 0, pointer: '' };
}

export function changeOf(value: JsonValue, parts: Partial<Change> = {}): Change {
  return { phase: 'admission', operation: 'CREATE', documents: [documentOf(value)], sources: [], ...parts };
}

export function projectOf(parts: Partial<Project> = {}): Project {
  return { environments: [], unmapped: 'deny', policies: [], digest: 'a'.repeat(64), ...parts };
}

export const FACTS = { time: new Date('2026-11-24T12:00:00Z'), id: '019ab500-0000-7000-8000-000000000001' };
