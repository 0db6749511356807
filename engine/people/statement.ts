// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import approvalSchema from '../../docs/schemas/approval-v1.json' with { type: 'json' };
import breakGlassSchema from '../../docs/schemas/break-glass-v1.json' with { type: 'json' };
import releaseLockSchema from '../../docs/schemas/release-lock-v1.json' with { type: 'json' };
import revocationSchema from '../../docs/schemas/revocation-v1.json' with { type: 'json' };
import waiverSchema from '../../docs/schemas/waiver-v1.json' with { type: 'json' };
import { compileSchema, type SchemaFault } from '../context/schema.ts';
import { EngineError } from '../error.ts';
import type { JsonValue } from '../manifest/index.ts';
import { canonicalText } from '../record/canonical.ts';
import type { Imported } from './imported.ts';
import type { LockEntry } from './lock.ts';

/** What people sign; each has a predicate type and a published schema of its own (docs/schemas). */
export type StatementKind = 'approval' | 'waiver' | 'revocation' | 'break-glass' | 'release-lock';

type Digest = { readonly sha256: string };

/** What each kind says; times are RFC 3339 in UTC. */
export interface Predicates {
  readonly approval: {
    readonly environment: string;
    readonly role: string;
    readonly projectDigest: Digest;
    readonly time: string;
    readonly expires: string;
    readonly comment?: string;
    /** Nobody signed it: a forge knows of it. */
    readonly imported?: Imported;
  };
  readonly waiver: {
    readonly environment: string;
    readonly rule: string;
    readonly object: string;
    readonly reason: string;
    readonly ticket: string;
    readonly notBefore: string;
    readonly expires: string;
  };
  readonly revocation: {
    readonly environment: string;
    readonly statementType: string;
    readonly reason: string;
    readonly time: string;
  };
  readonly 'break-glass': {
    readonly environment: string;
    readonly incident: string;
    readonly reason?: string;
    readonly time: string;
    readonly until: string;
  };
  readonly 'release-lock': {
    readonly environment: string;
    readonly release: string;
    readonly time: string;
    readonly previous?: Digest;
    readonly entries: readonly LockEntry[];
  };
}

/** One in-toto Statement of a person. */
export interface Statement<K extends StatementKind> {
  readonly subject: readonly { readonly name: string; readonly digest: Digest }[];
  readonly predicateType: string;
  readonly predicate: Predicates[K];
}

const SCHEMAS = {
  approval: approvalSchema,
  waiver: waiverSchema,
  revocation: revocationSchema,
  'break-glass': breakGlassSchema,
  'release-lock': releaseLockSchema,
} as const satisfies Record<StatementKind, object>;
const MAX_BYTES = 256 * 1024;
const MAX_FAULTS = 5;

const compiled = new Map<StatementKind, (value: unknown) => readonly SchemaFault[]>();

/** The predicate type of a kind; its end is the version of the schema. */
export const typeOf = (kind: StatementKind): string => `https://countersign.dev/attestation/${kind}/v1`;

/** The kind of a predicate type; undefined for one that is not known, also for a later version of ours. */
export const kindOf = (type: string): StatementKind | undefined =>
  STATEMENT_KINDS.find((kind) => typeOf(kind) === type);

/** Every kind. */
export const STATEMENT_KINDS: readonly StatementKind[] = [
  'approval',
  'waiver',
  'revocation',
  'break-glass',
  'release-lock',
];

/** How a statement is referred to: lower-case hex SHA-256 of its bytes, whoever signed them. */
export const statementId = (bytes: Uint8Array): string => hash('sha256', bytes, 'hex');

/**
 * The bytes of a statement, deterministic (RFC 8785), as its schema has them.
 * @throws {EngineError} RECORD_SHAPE | RECORD_TOO_LARGE (256 KiB)
 */
export function statementBytes<K extends StatementKind>(
  kind: K,
  subject: Statement<K>['subject'],
  predicate: Predicates[K],
): Uint8Array {
  const value: JsonValue = JSON.parse(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject,
      predicateType: typeOf(kind),
      predicate,
    }),
  );
  const bytes = Buffer.from(canonicalText(value));
  readStatementOf(kind, bytes);
  return bytes;
}

/**
 * Reads the signed bytes of a statement of this kind. Its signature, and that no key stands in it twice, is for others to have checked.
 * @throws {EngineError} RECORD_SHAPE | RECORD_TOO_LARGE
 */
export function readStatementOf<K extends StatementKind>(kind: K, bytes: Uint8Array): Statement<K> {
  if (bytes.length > MAX_BYTES)
    throw new EngineError(
      'RECORD_TOO_LARGE',
      `the ${kind} has ${bytes.length} bytes, more than ${MAX_BYTES}`,
    );
  const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
  const check = compiled.get(kind) ?? compileSchema(SCHEMAS[kind]);
  compiled.set(kind, check);
  const faults = check(value);
  if (faults.length > 0 || !isStatement<K>(value))
    throw new EngineError('RECORD_SHAPE', `this is no ${kind} as docs/schemas/${kind}-v1.json has it`, {
      problems: faults.slice(0, MAX_FAULTS).map(({ pointer, message }) => ({
        message: `${JSON.stringify(pointer || '/')} ${message}`,
      })),
    });
  refuseNoDates(kind, value.predicate);
  return value;
}

// The schema has said everything about the shape; this only tells the compiler.
const isStatement = <K extends StatementKind>(value: unknown): value is Statement<K> =>
  typeof value === 'object' && value !== null;

/** The schema has seen the form; this refuses the thirtieth of February, which a parser would take for a day in March. */
function refuseNoDates(kind: StatementKind, predicate: object): void {
  for (const name of ['time', 'expires', 'notBefore', 'until']) {
    const time: unknown = Reflect.get(predicate, name);
    if (typeof time !== 'string') continue;
    const parsed = Date.parse(time);
    if (Number.isFinite(parsed) && new Date(parsed).toISOString().slice(0, 19) === time.slice(0, 19))
      continue;
    throw new EngineError('RECORD_SHAPE', `the ${kind} has ${JSON.stringify(time)}, which is no date`);
  }
}
