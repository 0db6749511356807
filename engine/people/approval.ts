// SPDX-License-Identifier: Apache-2.0
import { type ApprovalRule, isAmong, type Person } from '../context/people.ts';
import type { Finding } from '../decide/finding.ts';
import type { Imported } from './imported.ts';

/** An approval whose signature holds: plain values. */
export interface Approval {
  /** Of its statement. */
  readonly id: string;
  readonly person: string;
  readonly environment: string;
  readonly role: string;
  /** What was approved. */
  readonly digest: string;
  readonly projectDigest: string;
  /** RFC 3339, UTC; it counts from the first to before the second. */
  readonly time: string;
  readonly expires: string;
  /** How the person is known. What a forge says binds an id, not these bytes. */
  readonly how: 'key' | 'login' | 'forge';
  /** Of one of a forge: where it is from, whether the rule of its role accepts it, and who of the people wrote what was approved. */
  readonly imported?: Imported & { readonly isAccepted: boolean; readonly authorNames: readonly string[] };
  /** Somebody has taken it back. */
  readonly isRevoked?: true;
}

/** Who asks for a change, and who wrote it, by the names of the Project's people where they are known there. */
export interface Asked {
  readonly requester?: {
    readonly id: string;
    readonly how: 'key' | 'oidc' | 'flag';
    readonly trust: 'verified' | 'asserted';
  };
  readonly authors: readonly string[];
}

/** What an environment asks of people, and what they have signed. */
export interface ApprovalDuty {
  readonly rules: readonly ApprovalRule[];
  readonly people: readonly Person[];
  readonly requester: 'verified' | 'asserted';
  readonly projectDigest: string;
  readonly given: readonly Approval[];
}

/** Why an approval counts for nothing. */
export type Exclusion =
  | 'requester'
  | 'author'
  | 'set'
  | 'project'
  | 'revoked'
  | 'expired'
  | 'not-yet'
  | 'role'
  | 'imported'
  | 'counted';

/** How the rule was met, as the record has it. */
export interface ApprovalCount {
  readonly required: readonly { readonly role: string; readonly count: number }[];
  readonly got: readonly { readonly digest: string; readonly person: string; readonly role: string }[];
  readonly excluded: readonly { readonly person: string; readonly why: Exclusion }[];
}

/** What is approved, where and when. */
export interface ApprovalFrame {
  readonly environment: string;
  readonly setDigest: string;
  readonly time: Date;
  readonly asked: Asked;
}

/** How much later than now a signer's clock may be. */
const SKEW_MS = 5 * 60 * 1000;
const MAX_EXCLUDED = 64;

/**
 * Counts approvals by person: each person once and in one role, whatever they sign with and however often. Who asks and who wrote the
 * change never count, and for that it takes no proof of who they are: a name that somebody asserts can only exclude.
 */
export function countApprovals(duty: ApprovalDuty, frame: ApprovalFrame): ApprovalCount {
  const excluded: { person: string; why: Exclusion }[] = [];
  const able: Approval[] = [];
  const authors = [...frame.asked.authors, ...importedAuthors(duty, frame)];
  for (const approval of signedFirst(duty.given)) {
    if (approval.environment !== frame.environment) continue;
    const why = exclusionOf(approval, duty, { ...frame, asked: { ...frame.asked, authors } });
    if (why === undefined) able.push(approval);
    // Old approvals of old sets lie about in every folder.
    else if (why !== 'set' || !isOver(approval, frame)) excluded.push({ person: approval.person, why });
  }
  const chosen = choose(able, duty.rules);
  const left = able.filter(({ person }) => !chosen.some((one) => one.person === person));
  const twice = able.filter((one) => !chosen.includes(one) && !left.includes(one));
  return {
    required: duty.rules.map(({ role, count }) => ({ role, count })),
    got: [...chosen, ...left.filter(isFirst)].map(({ id, person, role }) => ({ digest: id, person, role })),
    excluded: [...excluded, ...twice.map(({ person }) => ({ person, why: 'counted' as const }))].slice(
      0,
      MAX_EXCLUDED,
    ),
  };
}

/** Of two by one person, what they signed is the one that counts. */
const signedFirst = (given: readonly Approval[]): readonly Approval[] => [
  ...given.filter(({ how }) => how !== 'forge'),
  ...given.filter(({ how }) => how === 'forge'),
];

/** Who wrote this set, as a forge has it: they count in no way, whatever became of the import. */
const importedAuthors = ({ given }: ApprovalDuty, frame: ApprovalFrame): readonly string[] =>
  given.flatMap(({ imported, digest, environment }) =>
    imported === undefined || digest !== frame.setDigest || environment !== frame.environment
      ? []
      : imported.authorNames,
  );

const isFirst = ({ person }: Approval, index: number, all: readonly Approval[]): boolean =>
  all.findIndex((one) => one.person === person) === index;

const isOver = ({ expires }: Approval, { time }: ApprovalFrame): boolean =>
  time.getTime() >= Date.parse(expires);

function exclusionOf(approval: Approval, duty: ApprovalDuty, frame: ApprovalFrame): Exclusion | undefined {
  if (approval.digest !== frame.setDigest) return 'set';
  if (approval.projectDigest !== duty.projectDigest) return 'project';
  if (approval.isRevoked === true) return 'revoked';
  if (isOver(approval, frame)) return 'expired';
  if (Date.parse(approval.time) > frame.time.getTime() + SKEW_MS) return 'not-yet';
  if (approval.person === frame.asked.requester?.id) return 'requester';
  if (frame.asked.authors.includes(approval.person)) return 'author';
  if (rulesFor(approval, duty).length === 0) return 'role';
  // One that binds no content counts only where the rule says so.
  const isBound = approval.how !== 'forge' && approval.imported === undefined;
  return isBound || approval.imported?.isAccepted === true ? undefined : 'imported';
}

/** The rules that this approval could count for. */
function rulesFor(
  { person: name, role }: Approval,
  { rules, people }: ApprovalDuty,
): readonly ApprovalRule[] {
  const person = people.find((one) => one.name === name);
  return person === undefined ? [] : rules.filter((rule) => rule.role === role && isAmong(person, rule.from));
}

/**
 * The approvals that fill most places of the rules, each person in one: where somebody may act in two roles the other people decide
 * which (augmenting paths of a bipartite matching).
 */
function choose(able: readonly Approval[], rules: readonly ApprovalRule[]): readonly Approval[] {
  const places = rules.flatMap(({ role, count }) => Array.from({ length: count }, () => role));
  const people = [...new Set(able.map(({ person }) => person))];
  const holder = new Map<number, string>();
  const fills = (person: string, place: number): boolean =>
    able.some((one) => one.person === person && one.role === places[place]);
  const seat = (person: string, seen: Set<number>): boolean => {
    for (const place of places.keys()) {
      if (seen.has(place) || !fills(person, place)) continue;
      seen.add(place);
      const before = holder.get(place);
      if (before === undefined || seat(before, seen)) {
        holder.set(place, person);
        return true;
      }
    }
    return false;
  };
  for (const person of people) seat(person, new Set());
  return [...holder].flatMap(([place, person]) => {
    const found = able.find((one) => one.person === person && one.role === places[place]);
    return found === undefined ? [] : [found];
  });
}

/** The rule that speaks where approvals are missing. */
export const APPROVAL_RULE = 'approval.missing';
/** The rule that speaks where nobody proved who asks, so that nobody can tell the approver from them. */
export const REQUESTER_RULE = 'approval.requester';

const WORDS = {
  requester: 'asked for the change',
  author: 'wrote it',
  set: 'approved another set',
  project: 'approved under another Project file',
  revoked: 'took it back',
  expired: 'approved too long ago',
  'not-yet': 'approved in the future',
  role: 'is not in that role',
  imported: 'has signed nothing: an import that the rule does not accept',
  counted: 'counts once',
} as const satisfies Record<Exclusion, string>;

/** What is missing: a denial, never an error. */
export function approvalFindings(
  count: ApprovalCount,
  duty: ApprovalDuty,
  { setDigest, asked }: ApprovalFrame,
): readonly Finding[] {
  const { requester } = asked;
  const finding = (rule: string, message: string, remedy: string): Finding => ({
    rule,
    result: 'fail',
    message,
    severity: 'high',
    controls: [],
    remedy,
    object: { apiVersion: '', kind: '', name: 'set.txt' },
  });
  const why = [...new Set(count.excluded.map((one) => `${one.person} ${WORDS[one.why]}`))];
  const missing = count.required.flatMap(({ role, count: wanted }) => {
    const got = count.got.filter((one) => one.role === role).length;
    if (got >= wanted) return [];
    const message = `role ${JSON.stringify(role)} has ${got} of ${wanted} approvals of sha256:${setDigest}`;
    return [
      finding(
        APPROVAL_RULE,
        why.length === 0 ? message : `${message} (${why.join(', ')})`,
        'countersign approve, by somebody who neither asked for the change nor wrote it',
      ),
    ];
  });
  const isKnown =
    requester !== undefined && (requester.trust === 'verified' || duty.requester === 'asserted');
  if (isKnown) return missing;
  return [
    ...missing,
    finding(
      REQUESTER_RULE,
      requester === undefined
        ? 'it is not known who asks, so approver and requester could be one'
        : `that ${JSON.stringify(requester.id)} asks is not proved`,
      'sign the record with a key of one of the people (--record, --key), or let the Project say requester: asserted',
    ),
  ];
}

/** Whether a rule is one of approvals: what it says is about who has signed, not about the objects. */
export const isApprovalRule = (rule: string): boolean => rule === APPROVAL_RULE || rule === REQUESTER_RULE;
