// SPDX-License-Identifier: Apache-2.0
import type { Query, Term } from '../../../attest/index.ts';
import type { Args, Flags } from '../../args.ts';
import { UsageError } from '../../exit.ts';

/** What records are asked for by; a flag that is given twice asks for either value, two flags for both. */
export const QUERY_FLAGS: Flags = {
  artefact: {
    value: 'WHAT',
    multiple: true,
    help: 'a set, object or image by its digest (sha256:…), an object id, or an image reference',
  },
  env: { value: 'NAME', multiple: true, help: 'environment; production/* has all below production' },
  actor: { value: 'NAME', multiple: true, help: 'who asked for it, or approved it' },
  rule: { value: 'CODE', multiple: true, help: 'a rule that has a finding in it' },
  verdict: { value: 'allow|deny|error', multiple: true, help: 'what was decided' },
  type: { value: 'URI', multiple: true, help: 'predicate type of the statement' },
  from: { value: 'TIME', help: 'not older than this day or RFC 3339 time' },
  to: { value: 'TIME', help: 'not newer than this day (to its end, UTC) or time' },
};

const TERMS: Readonly<Record<string, string>> = {
  artefact: 'artefact',
  env: 'environment',
  actor: 'actor',
  rule: 'rule',
  verdict: 'verdict',
  type: 'type',
};
const VERDICTS = ['allow', 'deny', 'error'];

/** Reads the flags of a question. @throws {UsageError} */
export function queryOf(args: Args): Omit<Query, 'limit' | 'before'> {
  const unknown = args.list('verdict').find((verdict) => !VERDICTS.includes(verdict));
  if (unknown !== undefined)
    throw new UsageError(`unknown verdict ${JSON.stringify(unknown)}`, `verdicts are ${VERDICTS.join(', ')}`);
  const terms = Object.entries(TERMS).flatMap(([flag, name]): (readonly Term[])[] => {
    const values = args
      .list(flag)
      .map((value) => (flag === 'artefact' ? value.replace(/^sha256:/, '') : value));
    return values.length === 0 ? [] : [values.map((value) => ({ name, value }))];
  });
  const [from, to] = [timeOf(args, 'from', 'T00:00:00.000Z'), timeOf(args, 'to', 'T23:59:59.999Z')];
  return { terms, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

/** A time without its zone would be another one on another machine. */
function timeOf(args: Args, flag: string, ofDay: string): number | undefined {
  const text = args.text(flag);
  if (text === undefined) return undefined;
  const time = DAY.test(text)
    ? Date.parse(`${text}${ofDay}`)
    : TIME.test(text)
      ? Date.parse(text)
      : Number.NaN;
  const isDay = new Date(time).toString() !== 'Invalid Date';
  if (isDay && (!DAY.test(text) || new Date(time).toISOString().startsWith(text))) return time;
  throw new UsageError(
    `--${flag} ${JSON.stringify(text)} is no time`,
    'a day (2026-11-24) or a time with its zone (2026-11-24T08:00:00Z)',
  );
}

/** A whole number from 1 to `most`. @throws {UsageError} */
export function numberOf(args: Args, flag: string, most: number): number | undefined {
  const text = args.text(flag);
  if (text === undefined) return undefined;
  const number = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= most) return number;
  throw new UsageError(`--${flag} ${JSON.stringify(text)} is no number`, `from 1 to ${most}`);
}
