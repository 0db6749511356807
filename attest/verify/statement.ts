// SPDX-License-Identifier: Apache-2.0
import { parseStrict } from '../json.ts';
import { listOf, members, textOf } from './shape.ts';

const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
const MAX_SUBJECTS = 1_024;
const MAX_DIGESTS = 32;

/** What an in-toto Statement says it is about; digests are lower-case hexadecimal. */
export interface StatementShape {
  readonly predicateType: string;
  readonly subjects: readonly Subject[];
}

/** One subject; only its digest identifies it. */
export interface Subject {
  readonly name?: string;
  readonly digest: Readonly<Record<string, string>>;
}

/**
 * Reads the signed bytes as an in-toto Statement v1 with 1 to 1,024 subjects, or undefined.
 * @see https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
 */
export function readStatement(payload: Uint8Array): StatementShape | undefined {
  const statement = members(parseStrict(payload)?.value, ['_type', 'subject', 'predicateType', 'predicate']);
  const predicateType = textOf(statement?.['predicateType']);
  const subjects = listOf(statement?.['subject'], MAX_SUBJECTS, readSubject);
  if (statement?.['_type'] !== STATEMENT_TYPE || predicateType === undefined) return undefined;
  return subjects === undefined || subjects.length === 0 ? undefined : { predicateType, subjects };
}

function readSubject(value: unknown): Subject | undefined {
  const named = members(value, ['name', 'digest']);
  const subject = named ?? members(value, ['digest']);
  const digest = readDigest(subject?.['digest']);
  const name = textOf(named?.['name']);
  if (digest === undefined || (named !== undefined && name === undefined)) return undefined;
  return name === undefined ? { digest } : { name, digest };
}

function readDigest(value: unknown): Record<string, string> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const entries: [string, unknown][] = Object.entries(value);
  if (entries.length === 0 || entries.length > MAX_DIGESTS) return undefined;
  const known = entries.filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && /^[0-9a-f]{1,256}$/.test(entry[1]),
  );
  return known.length === entries.length ? Object.fromEntries(known) : undefined;
}
