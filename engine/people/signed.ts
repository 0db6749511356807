// SPDX-License-Identifier: Apache-2.0
import type { KeyUse, Trust } from '../../attest/trust/index.ts';
import { verifyEnvelope } from '../../attest/verify/envelope.ts';
import { type Person, personOfIdentity, personOfKey } from '../context/people.ts';
import { EngineError } from '../error.ts';
import { type Claimed, claimedBy, field, HOLDING, useOf, usesToRevoke } from './claimed.ts';
import { type Imported, sourceOf } from './imported.ts';
import { readStatementOf, type Statement, type StatementKind, statementId, typeOf } from './statement.ts';

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
  const [revoked, withdrawn] = [revokedAt(all, false), revokedAt(all, true)];
  const isTakenBack = takenBackBy(all);
  return (one) => {
    const id = idOf(one);
    // Who may only import takes back imports alone.
    if (revoked.has(id) || (one.how === 'forge' && withdrawn.has(id))) return true;
    if (one.kind !== 'approval') return false;
    const { subject, predicate } = one.statement;
    return (
      predicate.imported !== undefined &&
      isTakenBack(predicate.imported, { person: one.person, digest: subject[0]?.digest.sha256 ?? '' })
    );
  };
}

const idOf = ({ statement, id }: Signed): string => `${statement.predicateType} ${id}`;

/** When statements were revoked last, Unix time in milliseconds by id: by people, or by whoever imports. */
function revokedAt(all: readonly Signed[], isImporter: boolean): ReadonlyMap<string, number> {
  const last = new Map<string, number>();
  for (const one of all) {
    if (one.kind !== 'revocation' || (one.how === 'forge') !== isImporter) continue;
    const { predicate, subject } = one.statement;
    setLater(last, `${predicate.statementType} ${subject[0]?.digest.sha256}`, Date.parse(predicate.time));
  }
  return last;
}

function setLater(times: Map<string, number>, key: string, time: number): void {
  times.set(key, Math.max(times.get(key) ?? time, time));
}

/**
 * Whether people took back what an import is of: an earlier import of the same approval, or what the same person signed for these bytes.
 * Each import has an id of its own, so the next one would undo it. What the forge says was approved since then is new.
 */
export function takenBackBy(
  all: readonly Signed[],
): (imported: Imported, by: { readonly person: string; readonly digest: string }) => boolean {
  const revoked = revokedAt(all, false);
  const last = new Map<string, number>();
  for (const one of all) {
    const time = revoked.get(idOf(one));
    if (one.kind !== 'approval' || time === undefined) continue;
    const { predicate, subject } = one.statement;
    const digest = subject[0]?.digest.sha256 ?? '';
    setLater(last, predicate.imported ? actOf(predicate.imported) : `${digest} ${one.person}`, time);
  }
  return (imported, { person, digest }) => {
    const approvedAt = Date.parse(imported.approvedAt ?? '');
    return [actOf(imported), `${digest} ${person}`].some((act) => {
      const time = last.get(act);
      return time !== undefined && !(approvedAt > time);
    });
  };
}

/** One approval at a forge, however often it is imported. */
const actOf = (imported: Imported): string =>
  JSON.stringify([sourceOf(imported), imported.approver.subject, imported.commit]);

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
  /** What a key must be trusted for to take back a statement that is here (`usesOf`); of one that is not, any use of its kind will do. */
  readonly uses?: ReadonlyMap<string, KeyUse>;
}

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
  const uses = kind === 'revocation' ? usesToRevoke(claimed, frame.uses) : [useOf(kind, predicate)];
  const [use] = uses;
  if (use === undefined) return refused('it revokes what cannot be revoked');
  const questions = uses.map((one, at) => ({ claimed, use: one, isMain: at === 0 }));
  const signer = signerBy(questions, (question) => signerOf(file, question, frame));
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
  /** The use that such a statement has first of all. */
  readonly isMain: boolean;
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
  // Who imports approvals says as well that one of them is gone; of a waiver or a lock none is imported.
  const isOfImport = kind === 'revocation' && asked.use === 'approval' && asked.isMain;
  if (typeof signer !== 'string' || !isOfImport) return signer;
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

/** Who signed, by the first use that they are trusted for; else why not. */
function signerBy(
  questions: readonly Question[],
  ask: (question: Question) => SignedBy | string,
): SignedBy | string {
  const answers = questions.map(ask);
  return answers.find((answer) => typeof answer !== 'string') ?? answers[0] ?? 'nobody is asked';
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

/**
 * When the key must be valid: now. A revocation stays one when the key of who made it has come to its end, so its own time counts, which
 * can only hold back more.
 */
function timeFor(kind: StatementKind, predicate: unknown, at: Date): Date {
  const time = Date.parse(String(field(predicate, 'time')));
  return kind === 'revocation' && Number.isFinite(time) ? new Date(Math.min(time, at.getTime())) : at;
}
