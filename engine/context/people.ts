// SPDX-License-Identifier: Apache-2.0
// Who is who in a Project, and what people must sign before a change goes through.
import type { Severity } from '../decide/finding.ts';
import { type JsonValue, member, textMember } from '../manifest/index.ts';

/** One person, by whatever they sign with: however many keys and logins they have, they count once. */
export interface Person {
  readonly name: string;
  readonly groups?: readonly string[];
  /** Names of keys under `trust.keys`. */
  readonly keys?: readonly string[];
  /** Logins, compared exactly; the issuer is an https URL. */
  readonly identities?: readonly { readonly issuer: string; readonly subject: string }[];
}

/** How an approval was given there. */
export type ForgeVia = 'merge-request' | 'pull-request' | 'deployment' | 'run';

/** One GitLab or GitHub. */
export interface Forge {
  readonly name: string;
  readonly kind: 'gitlab' | 'github';
  /** The root of its API. */
  readonly api: string;
  /** Under which people have their number there among their identities. */
  readonly issuer: string;
}

/** Which imported approvals a rule accepts. */
export interface ImportRule {
  readonly forge: string;
  readonly project: string;
  readonly via: readonly ForgeVia[];
  /** Of a deployment or run, there; by default the name of the environment here. */
  readonly environment?: string;
  /** The branch there that a merge or pull request must be into; by default that of the project there. */
  readonly target?: string;
  /** From the import on; 8 where it is not stated. */
  readonly longestHours?: number;
}

/** Whose ways are whose. */
export const FORGE_WAYS = {
  gitlab: ['merge-request', 'deployment'],
  github: ['pull-request', 'run'],
} as const satisfies Record<Forge['kind'], readonly ForgeVia[]>;

/** For how long an import counts where nothing is stated. */
export const DEFAULT_IMPORT_HOURS = 8;

/** So many different people, of these people and groups, must have approved in this role. */
export interface ApprovalRule {
  readonly role: string;
  readonly count: number;
  readonly from: readonly string[];
  /** Whether approvals count that a forge knows; absent: they do not. */
  readonly imported?: ImportRule;
}

/** Who may break the glass of an environment, and what follows. */
export interface BreakGlassRule {
  readonly from: readonly string[];
  /** So many different people must have signed for one incident; 1 where it is not stated. */
  readonly quorum?: number;
  /** No statement counts for longer; 4 where it is not stated. */
  readonly longestHours?: number;
  /** From its end on, a review is overdue; 72 where it is not stated. */
  readonly reviewWithinHours?: number;
}

/** Who may approve waivers, and for how long at most. */
export interface WaiverRule {
  readonly from: readonly string[];
  readonly longestDays?: Readonly<Partial<Record<Severity, number>>>;
}

/** Whose login counts as a signature, for what and where. */
export interface LoginRule {
  /** The name of one of the Project's issuers. */
  readonly issuer: string;
  readonly discovery?: string;
  readonly uses: readonly string[];
  readonly environments: readonly string[];
}

/** What a Project says of people; each part may be absent. */
export interface PeopleParts {
  readonly people?: readonly Person[];
  readonly waivers?: WaiverRule;
  readonly login?: LoginRule;
  readonly issuers?: readonly { readonly name: string; readonly jwks: object }[];
  readonly forges?: readonly Forge[];
  readonly trust?: { readonly keys?: readonly JsonValue[] };
  readonly environments?: readonly {
    readonly approvals?: readonly ApprovalRule[];
    readonly breakGlass?: BreakGlassRule;
  }[];
}

/** The person that signs with this key of the Project's, if any. */
export const personOfKey = (people: readonly Person[], keyName: string): Person | undefined =>
  people.find(({ keys = [] }) => keys.includes(keyName));

/** The person of this login, if any; issuer and subject are compared exactly. */
export const personOfIdentity = (
  people: readonly Person[],
  login: { readonly issuer: string; readonly subject: string },
): Person | undefined =>
  people.find(({ identities = [] }) =>
    identities.some(({ issuer, subject }) => issuer === login.issuer && subject === login.subject),
  );

/** Whether a person is one of these people and groups. */
export const isAmong = ({ name, groups = [] }: Person, from: readonly string[]): boolean =>
  from.includes(name) || groups.some((group) => from.includes(group));

/** Roles of approvals that are about a waiver, a broken glass or a lock. */
const OWN_ROLES: ReadonlySet<string> = new Set(['waiver', 'review', 'lock']);

/** What is wrong, and where: a key or login of two people would count for both, and a rule that nobody can meet is a mistake. */
export function peopleFaults(stated: PeopleParts): readonly { message: string; pointer: string }[] {
  const { people = [], waivers, environments = [] } = stated;
  const rules = environments.flatMap(({ approvals = [], breakGlass }, index) => [
    ...approvals.map((rule, at) => ({ ...rule, pointer: `/environments/${index}/approvals/${at}` })),
    ...(breakGlass === undefined
      ? []
      : [
          {
            from: breakGlass.from,
            count: breakGlass.quorum ?? 1,
            pointer: `/environments/${index}/breakGlass`,
          },
        ]),
  ]);
  const taken = environments.flatMap(({ approvals = [] }, index) =>
    approvals.flatMap(({ role }, at) => {
      const name = JSON.stringify(role);
      const pointer = `/environments/${index}/approvals/${at}/role`;
      if (OWN_ROLES.has(role)) return [{ message: `role ${name} is one of ours`, pointer }];
      // Who signs names the role, not the rule: the people of one rule would do for the other.
      const isAgain = approvals.findIndex((rule) => rule.role === role) < at;
      return isAgain ? [{ message: `role ${name} has a rule already`, pointer }] : [];
    }),
  );
  if (waivers !== undefined) rules.push({ from: waivers.from, count: 1, pointer: '/waivers' });
  return [
    ...loginFaults(stated),
    ...forgeFaults(stated),
    ...personFaults(stated, people),
    ...taken,
    ...rules.flatMap((rule) => ruleFaults(rule, people)),
  ];
}

/** What was signed must be verified years later, so the keys are stored: those that are fetched are those of that day. */
function loginFaults({ login, issuers = [] }: PeopleParts): readonly { message: string; pointer: string }[] {
  const issuer = issuers.find(({ name }) => name === login?.issuer);
  if (login === undefined || (issuer !== undefined && 'file' in issuer.jwks)) return [];
  const name = JSON.stringify(login.issuer);
  const message =
    issuer === undefined ? `no issuer ${name} is declared` : `the jwks of issuer ${name} is no file`;
  return [{ message, pointer: '/login/issuer' }];
}

/** What is wrong with where approvals are imported from. */
function forgeFaults({
  forges = [],
  people = [],
  trust,
  environments = [],
}: PeopleParts): readonly { readonly message: string; readonly pointer: string }[] {
  const names = forges.map(({ name }) => name);
  const twice = names.flatMap((name, index) =>
    names.indexOf(name) === index
      ? []
      : [{ message: `forge ${JSON.stringify(name)} is declared twice`, pointer: `/forges/${index}/name` }],
  );
  const rules = environments.flatMap(({ approvals = [] }, index) =>
    approvals.flatMap(({ imported }, at) =>
      imported === undefined
        ? []
        : importFaults(imported, forges, `/environments/${index}/approvals/${at}/imported`),
    ),
  );
  // Whoever holds that key says what others approved: it must be nobody who could need an approval.
  const importing = new Set((trust?.keys ?? []).flatMap(importKey));
  const owned = people.flatMap(({ keys = [] }, index) =>
    keys.flatMap((key, at) =>
      importing.has(key)
        ? [
            {
              message: `key ${JSON.stringify(key)} imports approvals, so it is no person's`,
              pointer: `/people/${index}/keys/${at}`,
            },
          ]
        : [],
    ),
  );
  return [...twice, ...rules, ...owned];
}

function importKey(key: JsonValue): readonly string[] {
  const uses = member(key, 'uses');
  const name = textMember(key, 'name');
  return name !== undefined && Array.isArray(uses) && uses.includes('import') ? [name] : [];
}

function importFaults(
  { forge: name, via }: ImportRule,
  forges: readonly Forge[],
  pointer: string,
): readonly { readonly message: string; readonly pointer: string }[] {
  const forge = forges.find((one) => one.name === name);
  if (forge === undefined)
    return [{ message: `no forge ${JSON.stringify(name)} is declared`, pointer: `${pointer}/forge` }];
  const ways: readonly ForgeVia[] = FORGE_WAYS[forge.kind];
  const at = via.findIndex((one) => !ways.includes(one));
  return at < 0
    ? []
    : [{ message: `${forge.kind} knows no ${JSON.stringify(via[at])}`, pointer: `${pointer}/via/${at}` }];
}

function personFaults(
  { trust }: PeopleParts,
  people: readonly Person[],
): readonly { message: string; pointer: string }[] {
  const known = new Map(
    (trust?.keys ?? []).map((key) => [textMember(key, 'name'), textMember(key, 'person')]),
  );
  const owners = new Map<string, string>();
  return people.flatMap(({ name, keys = [], identities = [], groups = [] }, index) => {
    const faults: { message: string; pointer: string }[] = [];
    const report = (message: string, at: string): unknown =>
      faults.push({ message, pointer: `/people/${index}${at}` });
    const claim = (what: string, at: string): void => {
      const owner = owners.get(what);
      if (owner !== undefined) report(`${what} is that of ${JSON.stringify(owner)} already`, at);
      else owners.set(what, name);
    };
    claim(`the name ${JSON.stringify(name)}`, '/name');
    for (const [at, key] of keys.entries()) {
      claim(`key ${JSON.stringify(key)}`, `/keys/${at}`);
      if (!known.has(key)) report(`no key ${JSON.stringify(key)} is under trust.keys`, `/keys/${at}`);
      const person = known.get(key) ?? name;
      if (person !== name)
        report(
          `key ${JSON.stringify(key)} is that of ${JSON.stringify(person)} under trust.keys`,
          `/keys/${at}`,
        );
    }
    for (const [at, { issuer, subject }] of identities.entries())
      claim(`the login ${JSON.stringify(subject)} of ${JSON.stringify(issuer)}`, `/identities/${at}`);
    // A rule names both with one word: whom it means must not hang on which is looked up first.
    const alike = groups.find((group) => people.some((person) => person.name === group));
    if (alike !== undefined) report(`group ${JSON.stringify(alike)} has the name of a person`, '/groups');
    return faults;
  });
}

function ruleFaults(
  { from, count, pointer }: { readonly from: readonly string[]; count: number; pointer: string },
  people: readonly Person[],
): readonly { message: string; pointer: string }[] {
  const nobody = from.findIndex((name) => !people.some((person) => isAmong(person, [name])));
  if (nobody >= 0)
    return [
      {
        message: `${JSON.stringify(from[nobody])} is no person and no group under people`,
        pointer: `${pointer}/from/${nobody}`,
      },
    ];
  const able = people.filter((person) => isAmong(person, from)).length;
  return able >= count
    ? []
    : [{ message: `${count} people are wanted, and ${able} could sign: nobody can meet this`, pointer }];
}
