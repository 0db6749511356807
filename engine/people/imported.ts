// SPDX-License-Identifier: Apache-2.0
// Approvals that a forge knows of. They bind a number and a commit and not the objects, so each rule says whether it accepts them, and
// whatever somebody signed is preferred.
import {
  DEFAULT_IMPORT_HOURS,
  type Forge,
  type ForgeVia,
  type ImportRule,
  type Person,
  personOfIdentity,
} from '../context/people.ts';

/** A user of a forge. */
export interface ImportedUser {
  readonly subject: string;
  readonly name: string;
}

/** What an imported approval says of where it is from. */
export interface Imported {
  readonly issuer: string;
  readonly project: string;
  readonly via: ForgeVia;
  readonly number: string;
  readonly environment?: string;
  /** The branch that a merge or pull request is into. */
  readonly target?: string;
  readonly commit: string;
  readonly approver: ImportedUser;
  readonly authors: readonly ImportedUser[];
  readonly approvedAt?: string;
}

/** What is asked of an import. */
export interface ImportFrame {
  readonly rule: ImportRule | undefined;
  readonly forges: readonly Forge[];
  /** Of ours. */
  readonly environment: string;
}

const HOUR_MS = 60 * 60 * 1000;

/** Whether a rule accepts an approval from there, by an import that is no older than the rule says. */
export function isAccepted(
  imported: Imported,
  { time, expires }: { readonly time: string; readonly expires: string },
  { rule, forges, environment }: ImportFrame,
): boolean {
  const forge = forges.find(({ name }) => name === rule?.forge);
  if (rule === undefined || forge === undefined) return false;
  const hours = (Date.parse(expires) - Date.parse(time)) / HOUR_MS;
  return (
    imported.issuer === forge.issuer &&
    imported.project === rule.project &&
    rule.via.includes(imported.via) &&
    isThither(imported, rule, environment) &&
    hours > 0 &&
    hours <= (rule.longestHours ?? DEFAULT_IMPORT_HOURS)
  );
}

/** Into the branch, or to the environment, that the rule means. What its default branch is the forge has told whoever imports. */
function isThither({ via, target, ...from }: Imported, rule: ImportRule, environment: string): boolean {
  return via === 'merge-request' || via === 'pull-request'
    ? target !== undefined && target === (rule.target ?? target)
    : from.environment === (rule.environment ?? environment);
}

/** The same change at the same place: a later import of it replaces what an earlier one said. */
export const sourceOf = ({
  issuer,
  project,
  via,
  number,
}: Pick<Imported, 'issuer' | 'project' | 'via' | 'number'>): string =>
  JSON.stringify([issuer, project, via, number]);

/** The people among its authors, and whoever of them is none by number. */
export const authorsOf = (
  { issuer, authors }: Pick<Imported, 'issuer' | 'authors'>,
  people: readonly Person[],
): readonly string[] =>
  authors.map(({ subject }) => personOfIdentity(people, { issuer, subject })?.name ?? `${issuer} ${subject}`);
