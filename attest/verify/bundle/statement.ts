// SPDX-License-Identifier: Apache-2.0
import { parseStrict } from '../../json.ts';
import type { Members } from '../shape.ts';
import { listOf, textOf } from '../shape.ts';

const STATEMENT_TYPES = ['https://in-toto.io/Statement/v1', 'https://in-toto.io/Statement/v0.1'];
const MAX_SUBJECTS = 1_024;
const MAX_DIGESTS = 32;

/** What somebody's in-toto Statement says: of what, and what. */
export interface ForeignStatement {
  readonly predicateType: string;
  readonly subjects: readonly Readonly<Record<string, string>>[];
  /** Null where there is none; see `Claim.predicate` for numbers. */
  readonly predicate: unknown;
}

/**
 * Reads signed bytes as an in-toto Statement v1 or v0.1 with 1 to 1,024 subjects of 1 to 32 digests, or undefined. Members that the
 * specification does not name are ignored, as it asks.
 * @see https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
 */
export function readForeignStatement(payload: Uint8Array): ForeignStatement | undefined {
  const statement = objectOf(parseStrict(payload)?.value);
  const type = textOf(statement?.['_type']) ?? '';
  const predicateType = textOf(statement?.['predicateType']);
  const subjects = listOf(statement?.['subject'], MAX_SUBJECTS, readDigests);
  if (!STATEMENT_TYPES.includes(type) || !predicateType || !subjects?.length) return undefined;
  return { predicateType, subjects, predicate: exactPredicate(payload, statement?.['predicate']) };
}

function objectOf(value: unknown): Members | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}

function readDigests(value: unknown): Record<string, string> | undefined {
  const entries: [string, unknown][] = Object.entries(objectOf(objectOf(value)?.['digest']) ?? {});
  const known = entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  if (entries.length === 0 || entries.length > MAX_DIGESTS || known.length !== entries.length)
    return undefined;
  return Object.fromEntries(known);
}

/** Integers that a double cannot hold stay as they are written; only where there may be one is the text read a second time. */
function exactPredicate(payload: Uint8Array, predicate: unknown): unknown {
  const text = Buffer.from(payload).toString('utf8');
  if (!/\d{16}/.test(text)) return predicate ?? null;
  const exact: unknown = JSON.parse(text, exactly);
  return objectOf(exact)?.['predicate'] ?? null;
}

/** What a reviver is given as third has no type yet: https://github.com/tc39/proposal-json-parse-with-source */
function exactly(_: string, value: unknown, { source = '' }: { readonly source?: string } = {}): unknown {
  const isLost = typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(source);
  return isLost ? JSON.rawJSON(source) : value;
}
