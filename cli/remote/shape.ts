// SPDX-License-Identifier: Apache-2.0
// The shape of a decision that comes from outside: what reports read of it must be there before anything is printed.

import type { Decision, Finding } from '../../engine/index.ts';
import { isRecord } from '../../engine/schema/reading.ts';

const isText = (value: unknown): value is string => typeof value === 'string';
const isOptional = (value: unknown): boolean => value === undefined || isText(value);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
const isOneOf = (value: unknown, words: readonly string[]): boolean => isText(value) && words.includes(value);
const isListOf = (value: unknown, isOne: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(isOne);

/** Whether this is a Decision as this version has it. */
export function isDecision(value: unknown): value is Decision {
  if (!isRecord(value)) return false;
  const { passed, evaluated, basis } = value;
  const texts = ['id', 'inputDigest', 'setDigest', 'contextDigest', 'time', 'environment'];
  return (
    value['apiVersion'] === 'countersign.dev/v1alpha1' &&
    value['kind'] === 'Decision' &&
    texts.every((name) => isText(value[name])) &&
    isOptional(value['projectDigest']) &&
    isOneOf(value['verdict'], ['allow', 'deny', 'error']) &&
    value['phase'] === 'check' &&
    value['enforced'] === true &&
    (basis === undefined || isOneOf(basis, ['waiver', 'break-glass'])) &&
    isListOf(value['operations'], isText) &&
    isListOf(value['findings'], isFinding) &&
    isListOf(value['policies'], isPolicy) &&
    isRecord(passed) &&
    Object.values(passed).every(isCount) &&
    isRecord(evaluated) &&
    isCount(evaluated['objects']) &&
    isCount(evaluated['rules'])
  );
}

const isPolicy = (value: unknown): boolean =>
  isRecord(value) && ['name', 'revision', 'digest', 'sources'].every((name) => isText(value[name]));

function isFinding(value: unknown): value is Finding {
  if (!isRecord(value)) return false;
  const { object, location } = value;
  return (
    isText(value['rule']) &&
    isText(value['message']) &&
    isOneOf(value['result'], ['fail', 'warn', 'error', 'skip']) &&
    isOneOf(value['severity'], ['low', 'medium', 'high', 'critical']) &&
    isListOf(value['controls'], isText) &&
    ['remedy', 'path', 'waiver'].every((name) => isOptional(value[name])) &&
    isOneOf(String(value['inherited'] ?? true), ['true']) &&
    isRecord(object) &&
    ['apiVersion', 'kind', 'name'].every((name) => isText(object[name])) &&
    isOptional(object['namespace']) &&
    (location === undefined || isLocation(location))
  );
}

const isLocation = (value: unknown): boolean =>
  isRecord(value) && isText(value['file']) && isCount(value['line']) && isCount(value['column']);

/** Titles of rules, for reports; what is none is left out, and the rule goes by its code. */
export function titlesIn(value: unknown): ReadonlyMap<string, { title: string; remedy?: string }> {
  const titles = new Map<string, { title: string; remedy?: string }>();
  for (const one of Array.isArray(value) ? value : []) {
    const rule: Readonly<Record<string, unknown>> = isRecord(one) ? one : {};
    const { code, title, remedy } = rule;
    if (isText(code) && isText(title)) titles.set(code, { title, ...(isText(remedy) ? { remedy } : {}) });
  }
  return titles;
}
