// SPDX-License-Identifier: Apache-2.0
import { decodeAnyBase64 } from '../../attest/base64.ts';
import { parseStrict } from '../../attest/json.ts';
import type { KeyUse, Trust } from '../../attest/trust/index.ts';
import { verifyEnvelope } from '../../attest/verify/envelope.ts';
import { type Person, personOfIdentity, personOfKey } from '../context/people.ts';
import { EngineError } from '../error.ts';
import {
  kindOf,
  readStatementOf,
  type Statement,
  type StatementKind,
  statementId,
  typeOf,
} from './statement.ts';

/** A file that may hold what somebody signed. */
export interface StatementFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** It is in the Project's own folder: what should hold something back there, and does not verify, denies. */
  readonly isOwn: boolean;
  /** Of a file that is no envelope: how its payload was proved, or why not. */
  readonly proof?: FileProof;
}

/** What was proved of a file whose proof is no signature by one of the Project's keys. */
export type FileProof =
  | {
      readonly ok: true;
      readonly how: 'login';
      readonly issuer: string;
      readonly subject: string;
      readonly uses: readonly string[];
      /** By name; `*` is all of them. */
      readonly environments: readonly string[];
    }
  | { readonly ok: false; readonly reason: string };

/** A statement of one kind whose signature holds, with the person who signed it. */
export interface SignedOf<K extends StatementKind> {
  readonly kind: K;
  readonly id: string;
  readonly person: string;
  readonly how: 'key' | 'login' | 'forge';
  readonly file: string;
  readonly statement: Statement<K>;
}

/** Any of them, told apart by `kind`. */
export type Signed = { readonly [K in StatementKind]: SignedOf<K> }[StatementKind];

/** Whether a statement is among those that somebody took back. */
export function revocationsOf(all: readonly Signed[]): (one: Signed) => boolean {
  const idsBy = (isImport: boolean): ReadonlySet<string> =>
    new Set(
      all.flatMap((one) =>
        one.kind === 'revocation' && (one.how === 'forge') === isImport
          ? [`${one.statement.predicate.statementType} ${one.statement.subject[0]?.digest.sha256}`]
          : [],
      ),
    );
  const [revoked, withdrawn] = [idsBy(false), idsBy(true)];
  return (one) => {
    const id = `${one.statement.predicateType} ${one.id}`;
    // Who may only import takes back imports alone.
    return revoked.has(id) || (one.how === 'forge' && withdrawn.has(id));
  };
}

/** Why a file counts for nothing. */
export interface Unsigned {
  readonly file: string;
  readonly reason: string;
  /** Without it more would be allowed: a lock, a revocation, or what nobody can read. */
  readonly isHolding: boolean;
}

/** Whom a reader believes, and at what time. */
export interface SignedFrame {
  readonly trust: Trust;
  readonly people: readonly Person[];
  readonly at: Date;
}

/** What an envelope says that it holds; nothing of it is proved. */
interface Claimed {
  readonly kind: StatementKind;
  readonly environment: string;
  readonly payload: Uint8Array;
  readonly predicate: unknown;
}

const HOLDING: ReadonlySet<StatementKind> = new Set(['release-lock', 'revocation']);
/** Roles of approvals that are about another statement, and not about a set of objects. */
const ROLE_USES: Readonly<Record<string, KeyUse>> = {
  waiver: 'waiver',
  review: 'break-glass',
  lock: 'lock',
};
const KIND_USES = {
  approval: 'approval',
  waiver: 'waiver',
  'break-glass': 'break-glass',
  'release-lock': 'lock',
} as const satisfies Record<Exclude<StatementKind, 'revocation'>, KeyUse>;

/**
 * Verifies one file: a DSSE envelope with one signature by a key that is trusted for this kind of statement in its environment and belongs
 * to one of the people, or what a login proved of it. A refusal is a value. Never throws for anything that the file holds.
 */
export function readSigned(file: StatementFile, frame: SignedFrame): Signed | Unsigned {
  const { name, bytes } = file;
  const claimed = claimedBy(bytes);
  if (claimed === undefined)
    return { file: name, reason: 'it is no statement of a kind and version that is known', isHolding: true };
  const { kind, predicate } = claimed;
  const refused = (reason: string): Unsigned => ({ file: name, reason, isHolding: HOLDING.has(kind) });
  const use = useOf(kind, predicate);
  if (use === undefined) return refused('it revokes what cannot be revoked');
  const signer = signerOf(file, { claimed, use }, frame);
  if (typeof signer === 'string') return refused(signer);
  try {
    return signedOf(kind, signer.statement, { person: signer.person, how: signer.how, file: name });
  } catch (error) {
    if (error instanceof EngineError)
      return refused([error.message, ...error.problems.map(({ message }) => message)].join('; '));
    throw error;
  }
}

/** What is asked of whoever signed. */
interface Question {
  readonly claimed: Claimed;
  readonly use: KeyUse;
}

interface SignedBy extends Pick<Signed, 'person' | 'how'> {
  /** The bytes that were signed. */
  readonly statement: Uint8Array;
}

function signerOf(file: StatementFile, asked: Question, frame: SignedFrame): SignedBy | string {
  const { kind, predicate } = asked.claimed;
  if (kind === 'approval' && field(predicate, 'imported') !== undefined)
    return byImport(file, asked.claimed, frame);
  if (file.proof !== undefined) return byProof(file.proof, asked, frame);
  const signer = byKey(file, asked, frame);
  // Who imports approvals says as well that one of them is gone.
  if (typeof signer !== 'string' || kind !== 'revocation' || asked.use !== 'approval') return signer;
  const imported = importedBy(file, asked.claimed, frame);
  return typeof imported === 'string' ? signer : imported;
}

/** An approval that a forge knows of, as a key says that is trusted for that and is no person's. */
function byImport(file: StatementFile, claimed: Claimed, frame: SignedFrame): SignedBy | string {
  const imported = field(claimed.predicate, 'imported');
  const issuer = field(imported, 'issuer');
  const subject = field(field(imported, 'approver'), 'subject');
  if (file.proof !== undefined) return 'what is imported is signed by a key';
  if (useOf('approval', claimed.predicate) !== 'approval')
    return 'what somebody signed is approved by signing';
  if (typeof issuer !== 'string' || typeof subject !== 'string')
    return 'it says of nobody that they approved';
  const signer = importedBy(file, claimed, frame);
  if (typeof signer === 'string') return signer;
  const person = personOfIdentity(frame.people, { issuer, subject });
  return person === undefined
    ? `${JSON.stringify(subject)} of ${JSON.stringify(issuer)} is none of the people`
    : { ...signer, person: person.name };
}

function importedBy({ bytes }: StatementFile, claimed: Claimed, frame: SignedFrame): SignedBy | string {
  const { kind, environment, predicate } = claimed;
  const at = timeFor(kind, predicate, frame.at);
  const question = { use: 'import', environment, predicateType: typeOf(kind), at } as const;
  const verdict = verifyEnvelope(bytes, frame.trust, question);
  if (!verdict.ok) return verdict.reason;
  const { keyName, statement } = verdict.value;
  return { person: `key ${JSON.stringify(keyName)}`, how: 'forge', statement };
}

function byKey({ bytes }: StatementFile, { claimed, use }: Question, frame: SignedFrame): SignedBy | string {
  const { kind, environment, predicate } = claimed;
  const at = timeFor(kind, predicate, frame.at);
  const question = { use, environment, predicateType: typeOf(kind), at };
  const verdict = verifyEnvelope(bytes, frame.trust, question);
  if (!verdict.ok) return verdict.reason;
  const { keyName, statement } = verdict.value;
  const person = personOfKey(frame.people, keyName);
  return person === undefined
    ? `key ${JSON.stringify(keyName)} belongs to none of the people`
    : { person: person.name, how: 'key', statement };
}

function byProof(proof: FileProof, { claimed, use }: Question, { people }: SignedFrame): SignedBy | string {
  if (!proof.ok) return proof.reason;
  const { how, uses, environments, issuer, subject } = proof;
  const name = JSON.stringify(claimed.environment);
  if (!uses.includes(use)) return `a ${how} is not trusted for ${use}`;
  if (!environments.includes('*') && !environments.includes(claimed.environment))
    return `a ${how} is not trusted for environment ${name}`;
  const person = personOfIdentity(people, { issuer, subject });
  return person === undefined
    ? `${JSON.stringify(subject)} of ${JSON.stringify(issuer)} is none of the people`
    : { person: person.name, how, statement: claimed.payload };
}

/** Whether it holds. */
export const isSigned = (one: Signed | Unsigned): one is Signed => 'person' in one;

/** What a verified statement is to its readers. @throws {EngineError} RECORD_SHAPE | RECORD_TOO_LARGE */
export function signedOf(
  kind: StatementKind,
  bytes: Uint8Array,
  by: Pick<Signed, 'person' | 'how' | 'file'>,
): Signed {
  const about = { ...by, id: statementId(bytes) };
  switch (kind) {
    case 'approval':
      return { ...about, kind, statement: readStatementOf(kind, bytes) };
    case 'waiver':
      return { ...about, kind, statement: readStatementOf(kind, bytes) };
    case 'revocation':
      return { ...about, kind, statement: readStatementOf(kind, bytes) };
    case 'break-glass':
      return { ...about, kind, statement: readStatementOf(kind, bytes) };
    case 'release-lock':
      return { ...about, kind, statement: readStatementOf(kind, bytes) };
  }
}

/** What a key must be trusted for to sign this. */
function useOf(kind: StatementKind, predicate: unknown): KeyUse | undefined {
  if (kind === 'approval') {
    const role = field(predicate, 'role');
    return typeof role === 'string' && Object.hasOwn(ROLE_USES, role) ? ROLE_USES[role] : 'approval';
  }
  if (kind !== 'revocation') return KIND_USES[kind];
  const revoked = kindOf(String(field(predicate, 'statementType')));
  return revoked === undefined || HOLDING.has(revoked) ? undefined : useOf(revoked, undefined);
}

/**
 * When the key must be valid: now. A revocation stays one when the key of who made it has come to its end, so its own time counts, which
 * can only hold back more.
 */
function timeFor(kind: StatementKind, predicate: unknown, at: Date): Date {
  const time = Date.parse(String(field(predicate, 'time')));
  return kind === 'revocation' && Number.isFinite(time) ? new Date(Math.min(time, at.getTime())) : at;
}

function claimedBy(bytes: Uint8Array): Claimed | undefined {
  const envelope = parseStrict(bytes)?.value;
  const encoded = field(envelope, 'payload');
  const payload = typeof encoded === 'string' ? decodeAnyBase64(encoded) : undefined;
  if (payload === undefined) return undefined;
  const statement = parseStrict(payload)?.value;
  const kind = kindOf(String(field(statement, 'predicateType')));
  const predicate = field(statement, 'predicate');
  const environment = field(predicate, 'environment');
  if (kind === undefined || typeof environment !== 'string') return undefined;
  return { kind, environment, payload, predicate };
}

const field = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? Reflect.get(value, key)
    : undefined;
