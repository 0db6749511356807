// SPDX-License-Identifier: Apache-2.0
import type { Finding } from '../decide/finding.ts';
import { type JsonValue, member } from '../manifest/index.ts';
import { isSecret, LAST_APPLIED } from './secret.ts';

const HIDDEN = '[redacted]';
/** Stands for it until all values are gone, so that none is looked for in the word itself. */
const MARK = '\u{f0000}';
/** Below this a value is hidden only as a word of its own: "1" is in too much of every sentence. */
const WORD_CHARACTERS = 4;
/** Of a text of several lines each line of this length is a secret too: a rule may quote one of a key's. */
const LINE_CHARACTERS = 8;

/** Whether something was hidden in the path of a finding, so that its place is not in the record. */
export const isHidden = ({ path }: Finding): boolean => path?.includes(HIDDEN) === true;

/** Hides in findings what is secret in the objects they speak of. */
export type Redactor = (finding: Finding) => Finding;

/**
 * The redactor of a change: message and path keep no value of these Secrets, as it stands, decoded, encoded, or escaped as JSON or
 * Rego print it. A rule of Conftest's style sees the values, and what it says goes into reports; what it computes from
 * them (a digest, a part) cannot be known.
 */
export function redactorOf(objects: readonly JsonValue[]): Redactor {
  const values = new Set(objects.flatMap((object) => (isSecret(object) ? valuesOf(object) : [])));
  // Longest first: a value that begins with another is hidden whole.
  const spelt = [...new Set([...values].flatMap(spellings))]
    .filter((text) => text !== '')
    .sort((a, b) => b.length - a.length);
  if (spelt.length === 0) return (finding) => finding;
  const hide = (text: string): string => spelt.reduce(without, text).replaceAll(MARK, HIDDEN);
  return (finding) => ({
    ...finding,
    message: hide(finding.message),
    ...(finding.path === undefined ? {} : { path: hide(finding.path) }),
  });
}

// One by one: all of a large Secret's lines are too much for one expression.
function without(text: string, value: string): string {
  if (!text.includes(value)) return text;
  if (value.length >= WORD_CHARACTERS) return text.replaceAll(value, MARK);
  return text.replace(new RegExp(`(?<!${WORD})${escaped(value)}(?!${WORD})`, 'gu'), MARK);
}

const WORD = '[\\p{L}\\p{N}_]';

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

function spellings(value: string): readonly string[] {
  const lines = value.split(/\r?\n/).filter((line) => line.length >= LINE_CHARACTERS);
  return [value, value.trim(), ...lines].flatMap((text) => [text, JSON.stringify(text).slice(1, -1)]);
}

/** Each value of `data` as it stands and decoded, each of `stringData` as it stands and encoded; those of the last apply too. */
function valuesOf(secret: JsonValue): readonly string[] {
  const data = textsOf(member(secret, 'data'));
  const texts = textsOf(member(secret, 'stringData'));
  const lastApplied = member(member(member(secret, 'metadata'), 'annotations'), LAST_APPLIED);
  return [
    ...data,
    ...data.map((text) => Buffer.from(text, 'base64').toString('utf8')),
    ...texts,
    ...texts.map((text) => Buffer.from(text).toString('base64')),
    ...(typeof lastApplied === 'string' ? [lastApplied, ...appliedValues(lastApplied)] : []),
  ];
}

function appliedValues(text: string): readonly string[] {
  try {
    const applied: JsonValue = JSON.parse(text);
    const annotations = member(member(applied, 'metadata'), 'annotations');
    return member(annotations, LAST_APPLIED) === undefined ? valuesOf(applied) : [];
  } catch {
    return []; // no JSON: the text itself is hidden
  }
}

/** Every string in a value, whatever its shape: a malformed Secret is one too. */
function textsOf(value: JsonValue | undefined): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}
