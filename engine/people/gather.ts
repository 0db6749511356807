// SPDX-License-Identifier: Apache-2.0
// From signed files to what holds in one environment. Every pair of hands is checked here: who asks for a waiver is not who approves
// it, whoever opens a lock is not alone, and a glass takes as many people as its environment says.
import { type BreakGlassRule, isAmong, type Person, type WaiverRule } from '../context/people.ts';
import type { Environment, Project } from '../context/project.ts';
import type { Approval } from './approval.ts';
import { type BreakGlass, environmentDigest } from './break_glass.ts';
import { authorsOf, type Imported, isAccepted } from './imported.ts';
import { type Lock, weakens } from './lock.ts';
import {
  isSigned,
  readSigned,
  revocationsOf,
  type Signed,
  type SignedFrame,
  type SignedOf,
  type StatementFile,
} from './signed.ts';
import type { Standing } from './standing.ts';
import type { Predicates } from './statement.ts';
import { isWaivable, scopeDigest, type Waiver } from './waiver.ts';

/** What was read for one environment. */
export interface Gathered {
  readonly standing: Standing;
  /** Every statement of this environment whose signature holds. */
  readonly signed: readonly Signed[];
  /** What counts for nothing, and why. */
  readonly notes: readonly string[];
}

/** What is read, whom it is believed of, and for where. */
export interface GatherFrame extends Pick<SignedFrame, 'trust' | 'at'> {
  readonly project: Project;
  readonly environment: Environment;
}

const HOUR_MS = 60 * 60 * 1000;
const DEFAULT_LONGEST_HOURS = 4;

/** Reads signed files for one environment. Never throws for anything that they hold. */
export function gather(files: readonly StatementFile[], frame: GatherFrame): Gathered {
  const { project, environment, trust, at } = frame;
  const people = project.people ?? [];
  const notes: string[] = [];
  const unverified: string[] = [];
  const known = new Map<string, Signed>();
  for (const file of files) {
    const read = readSigned(file, { trust, people, at });
    if (isSigned(read)) {
      if (read.statement.predicate.environment === environment.name)
        known.set(`${read.id} ${read.person}`, read);
    } else
      (read.isHolding && file.isOwn ? unverified : notes).push(
        `${JSON.stringify(read.file)} does not count: ${read.reason}`,
      );
  }
  const signed = [...known.values()];
  const book = bookOf(signed, people);
  return {
    standing: {
      waivers: waiversOf(book, project.waivers, notes),
      longestDays: project.waivers?.longestDays ?? {},
      breakGlass: breakGlassOf(book, environment, notes),
      locks: locksOf(book, notes),
      unverified,
      ...(environment.approvals === undefined
        ? {}
        : {
            approvals: {
              rules: environment.approvals,
              people,
              requester: environment.requester ?? 'verified',
              projectDigest: project.digest,
              given: approvalsOf(book, frame),
            },
          }),
    },
    signed,
    notes,
  };
}

/** Signed statements by kind, without those that were revoked. */
interface Book {
  readonly people: readonly Person[];
  readonly all: readonly Signed[];
  of<K extends Signed['kind']>(kind: K): readonly SignedOf<K>[];
  isRevoked(one: Signed): boolean;
  /** Approvals in this role of the statement, by anybody but these. */
  approversOf(id: string, role: string, but: readonly string[]): readonly SignedOf<'approval'>[];
}

function bookOf(all: readonly Signed[], people: readonly Person[]): Book {
  const isKind = <K extends Signed['kind']>(
    one: { readonly kind: Signed['kind'] },
    kind: K,
  ): one is SignedOf<K> => one.kind === kind;
  const isRevoked = revocationsOf(all);
  const book: Book = {
    people,
    all,
    isRevoked,
    of: (kind) => all.filter((one) => isKind(one, kind)),
    approversOf: (id, role, but) =>
      book
        .of('approval')
        .filter((one) => !isRevoked(one) && !but.includes(one.person))
        .filter(
          ({ statement: { subject, predicate } }) =>
            predicate.role === role && subject[0]?.digest.sha256 === id,
        ),
  };
  return book;
}

/** A waiver that counts was asked for by one person and approved by another, of those who may. */
function waiversOf(book: Book, rule: WaiverRule | undefined, notes: string[]): readonly Waiver[] {
  return book.of('waiver').flatMap((one): Waiver[] => {
    const { predicate, subject } = one.statement;
    const refuse = (reason: string): [] => {
      notes.push(`waiver ${JSON.stringify(one.file)} does not count: ${reason}`);
      return [];
    };
    if (book.isRevoked(one)) return refuse('it was revoked');
    if (subject[0]?.digest.sha256 !== scopeDigest(predicate)) return refuse('its subject is not its scope');
    if (!isWaivable(predicate.rule)) return refuse(`rule ${JSON.stringify(predicate.rule)} is never waived`);
    if (rule === undefined) return refuse('the Project says of nobody that they may approve waivers');
    const approvals = book
      .approversOf(one.id, 'waiver', [one.person])
      .filter(({ person }) => isOf(book.people, person, rule.from));
    const [approval] = [...approvals].sort(
      (a, b) => Date.parse(b.statement.predicate.expires) - Date.parse(a.statement.predicate.expires),
    );
    if (approval === undefined) return refuse(`nobody but ${one.person}, who asks for it, has approved it`);
    const { time, expires } = approval.statement.predicate;
    const { environment, rule: code, object, ticket, reason } = predicate;
    return [
      {
        id: one.id,
        environment,
        rule: code,
        object,
        ticket,
        reason,
        notBefore: later(predicate.notBefore, time),
        expires: earlier(predicate.expires, expires),
        requester: one.person,
        approver: approval.person,
      },
    ];
  });
}

const isOf = (people: readonly Person[], name: string, from: readonly string[]): boolean =>
  people.some((person) => person.name === name && isAmong(person, from));
const later = (a: string, b: string): string => (Date.parse(a) < Date.parse(b) ? b : a);
const earlier = (a: string, b: string): string => (Date.parse(a) < Date.parse(b) ? a : b);

function approvalsOf(book: Book, frame: GatherFrame): readonly Approval[] {
  return book.of('approval').map((one) => {
    const { predicate, subject } = one.statement;
    return {
      id: one.id,
      person: one.person,
      environment: predicate.environment,
      role: predicate.role,
      digest: subject[0]?.digest.sha256 ?? '',
      projectDigest: predicate.projectDigest.sha256,
      time: predicate.time,
      expires: predicate.expires,
      how: one.how,
      ...(predicate.imported === undefined
        ? {}
        : { imported: importedOf(predicate.imported, predicate, frame) }),
      ...(book.isRevoked(one) ? { isRevoked: true as const } : {}),
    };
  });
}

function importedOf(
  imported: Imported,
  predicate: Predicates['approval'],
  { project, environment }: GatherFrame,
): NonNullable<Approval['imported']> {
  const rule = environment.approvals?.find(({ role }) => role === predicate.role)?.imported;
  const forges = project.forges ?? [];
  return {
    ...imported,
    isAccepted: isAccepted(imported, predicate, { rule, forges, environment: environment.name }),
    authorNames: authorsOf(imported, project.people ?? []),
  };
}

function breakGlassOf(book: Book, { name, breakGlass }: Environment, notes: string[]): readonly BreakGlass[] {
  const able = book.of('break-glass').filter((one) => {
    const fault = glassFault(one, { rule: breakGlass, environment: name, book });
    if (fault !== undefined) notes.push(`break-glass ${JSON.stringify(one.file)} does not count: ${fault}`);
    return fault === undefined;
  });
  const quorum = breakGlass?.quorum ?? 1;
  return able.flatMap((last): BreakGlass[] => {
    const { incident, time } = last.statement.predicate;
    const from = Date.parse(time);
    const together = able.filter(
      ({ statement: { predicate } }) =>
        predicate.incident === incident &&
        Date.parse(predicate.time) <= from &&
        Date.parse(predicate.until) > from,
    );
    const untils = new Map<string, number>();
    for (const { person, statement } of together)
      untils.set(person, Math.max(untils.get(person) ?? 0, Date.parse(statement.predicate.until)));
    const until = [...untils.values()].sort((a, b) => b - a)[quorum - 1];
    if (until === undefined) return [];
    const people = [...untils.keys()].sort();
    return [
      { id: last.id, environment: name, incident, people, from: time, until: new Date(until).toISOString() },
    ];
  });
}

function glassFault(
  one: SignedOf<'break-glass'>,
  { rule, environment, book }: { rule: BreakGlassRule | undefined; environment: string; book: Book },
): string | undefined {
  const { predicate, subject } = one.statement;
  if (rule === undefined) return 'the Project says of nobody that they may break the glass here';
  if (book.isRevoked(one)) return 'it was revoked';
  if (subject[0]?.digest.sha256 !== environmentDigest(environment))
    return 'its subject is not its environment';
  if (!isOf(book.people, one.person, rule.from)) return `${one.person} may not break the glass here`;
  const hours = (Date.parse(predicate.until) - Date.parse(predicate.time)) / HOUR_MS;
  const most = rule.longestHours ?? DEFAULT_LONGEST_HOURS;
  return hours > 0 && hours <= most ? undefined : `it is for ${hours} hours, and ${most} are the most`;
}

/**
 * The newest lock of each release: the one that no other follows. What follows and opens something counts only where a second person has
 * approved it; two that follow the same one are both in force.
 */
function locksOf(book: Book, notes: string[]): readonly Lock[] {
  const all = new Map(book.of('release-lock').map((one) => [one.id, one] as const));
  const counted = [...all.values()].filter((one) => {
    const before = all.get(one.statement.predicate.previous?.sha256 ?? '')?.statement.predicate;
    const { entries, release } = one.statement.predicate;
    if (before === undefined) return true;
    if (before.release === release && !weakens(entries, before.entries)) return true;
    const isApproved = book.approversOf(one.id, 'lock', [one.person]).length > 0;
    if (!isApproved)
      notes.push(
        `lock ${JSON.stringify(one.file)} does not count: it opens what was locked, and nobody but ${one.person} has approved it`,
      );
    return isApproved;
  });
  const followed = new Set(counted.map(({ statement }) => statement.predicate.previous?.sha256));
  return counted
    .filter(({ id }) => !followed.has(id))
    .map(({ id, statement: { predicate } }) => ({
      id,
      environment: predicate.environment,
      release: predicate.release,
      entries: predicate.entries,
    }));
}
