// SPDX-License-Identifier: Apache-2.0
import type { Term, Terms } from '../../attest/index.ts';

/** The version of what `termsOf` derives: change it with every change of that, so that indexes are made anew. */
export const TERMS_VERSION = '1';

/** What a record is listed with. Absent is what its statement does not say; nothing of it is proved by being here. */
export interface Summary {
  readonly id?: string;
  /** RFC 3339. */
  readonly time?: string;
  readonly predicateType: string;
  readonly phase?: string;
  readonly verdict?: string;
  readonly environment?: string;
  readonly actor?: string;
  /** SHA-256 of the first subject, hex. */
  readonly subject?: string;
  /** Rules with a finding that failed or was an error, each once. */
  readonly rules: readonly string[];
}

const field = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (at, key) =>
      typeof at === 'object' && at !== null && Object.hasOwn(at, key) ? Reflect.get(at, key) : undefined,
    value,
  );
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const texts = (values: readonly unknown[]): readonly string[] =>
  values.filter((value) => typeof value === 'string');

/** Reads a payload; one that is no JSON has no members. */
function parse(payload: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(payload).toString('utf8'));
  } catch {
    return undefined;
  }
}

/** What a statement of ours, or of others, says of itself. Never throws. */
export const summaryOf = (payload: Uint8Array): Summary => summarise(parse(payload));

function summarise(statement: unknown): Summary {
  const predicate = field(statement, 'predicate');
  const of = (name: string, ...path: readonly string[]): Record<string, string> => {
    const found = text(field(predicate, ...path));
    return found === undefined ? {} : { [name]: found };
  };
  const subject = text(field(list(field(statement, 'subject'))[0], 'digest', 'sha256'));
  return {
    ...of('id', 'id'),
    ...of('time', 'time'),
    predicateType: text(field(statement, 'predicateType')) ?? '',
    ...of('phase', 'phase'),
    ...of('verdict', 'verdict'),
    ...of('environment', 'scope', 'environment'),
    ...of('actor', 'requester', 'id'),
    ...(subject === undefined ? {} : { subject }),
    rules: failedRules(predicate),
  };
}

function failedRules(predicate: unknown): readonly string[] {
  const findings = [...list(field(predicate, 'findings')), ...list(field(predicate, 'omittedFindings'))];
  const failed = findings.filter((finding) => {
    const result = field(finding, 'result');
    return result === 'fail' || result === 'error';
  });
  return [...new Set(texts(failed.map((finding) => field(finding, 'rule'))))].sort();
}

/**
 * What a record is found by, derived from its payload alone: `id`, `type`, `phase`, `verdict`, `environment` (and each `folder/*` above
 * it), `actor` (who asked, and each person whose approval was counted), `rule` (with a finding of any result) and `artefact` (a
 * digest, an object id, an image reference).
 */
export function termsOf(payload: Uint8Array): Terms {
  const statement = parse(payload);
  const predicate = field(statement, 'predicate');
  const { id, time, predicateType, phase, verdict, environment, actor } = summarise(statement);
  const at = Date.parse(time ?? '');
  const approvers = list(field(predicate, 'approvalRule', 'got')).map((got) => field(got, 'person'));
  const persons = [actor, field(predicate, 'approver', 'id'), field(predicate, 'person'), ...approvers];
  return {
    time: Number.isNaN(at) ? undefined : at,
    terms: [
      ...named('id', [id]),
      ...named('type', [predicateType]),
      ...named('phase', [phase]),
      ...named('verdict', [verdict]),
      ...named('environment', environment === undefined ? [] : [environment, ...foldersOf(environment)]),
      ...named('actor', persons),
      ...named('rule', rulesIn(predicate)),
      ...named('artefact', artefactsIn(statement)),
    ],
  };
}

const named = (name: string, values: readonly unknown[]): readonly Term[] =>
  [...new Set(texts(values))].map((value) => ({ name, value }));

/** `production/eu/1` is found by `production/*` and by `production/eu/*`. */
function foldersOf(environment: string): readonly string[] {
  const parts = environment.split('/');
  return parts.slice(0, -1).map((_, index) => `${parts.slice(0, index + 1).join('/')}/*`);
}

const rulesIn = (predicate: unknown): readonly unknown[] =>
  [...list(field(predicate, 'findings')), ...list(field(predicate, 'omittedFindings'))].map((finding) =>
    field(finding, 'rule'),
  );

function artefactsIn(statement: unknown): readonly unknown[] {
  const predicate = field(statement, 'predicate');
  const subjects = list(field(statement, 'subject'));
  const objects = list(field(predicate, 'set', 'objects'));
  const images = list(field(predicate, 'images'));
  return [
    ...[...subjects, ...objects, ...images].map((one) => field(one, 'digest', 'sha256')),
    ...objects.map((object) => field(object, 'id')),
    ...list(field(predicate, 'set', 'deletes')),
    ...images.map((image) => field(image, 'ref')),
  ];
}
