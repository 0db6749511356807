// SPDX-License-Identifier: Apache-2.0
// Imported approvals: believed of the key that the Project names for it, counted where a rule accepts them, and weaker everywhere else.
import { describe, expect, it } from '@jest/globals';
import type { Forge, ImportRule } from '../../../engine/context/people.ts';
import type { Environment, Project } from '../../../engine/context/project.ts';
import { type ApprovalCount, countApprovals } from '../../../engine/people/approval.ts';
import { gather } from '../../../engine/people/gather.ts';
import { type Imported, isAccepted } from '../../../engine/people/imported.ts';
import type { StatementFile } from '../../../engine/people/signed.ts';
import type { Predicates } from '../../../engine/people/statement.ts';
import {
  approved,
  KEYS,
  NOW,
  PEOPLE,
  PRODUCTION,
  PROJECT,
  PROJECT_DIGEST,
  SET,
  signed,
  trustOf,
} from './signing.ts';

const ISSUER = 'https://forge.example';
const FORGE: Forge = { name: 'work', kind: 'gitlab', api: `${ISSUER}/api/v4`, issuer: ISSUER };
const RULE: ImportRule = { forge: 'work', project: 'shop/web', via: ['merge-request', 'deployment'] };
const NUMBERS: Readonly<Record<string, string>> = { alice: '1', bob: '2', carol: '3' };
/** Everybody has a number on the forge, and ed's key, which is nobody's, imports. */
const TRUST = trustOf(KEYS.map((key) => (key.name === 'ed' ? { ...key, uses: ['import'] } : key)));
const people = PEOPLE.map((person) => {
  const subject = NUMBERS[person.name];
  return subject === undefined ? person : { ...person, identities: [{ issuer: ISSUER, subject }] };
});

const FROM: Imported = {
  issuer: ISSUER,
  project: 'shop/web',
  via: 'merge-request',
  number: '42',
  target: 'main',
  commit: 'd'.repeat(40),
  approver: { subject: '3', name: 'carol' },
  authors: [],
};

const imported = (
  more: Partial<Imported> = {},
  { by = 'ed', ...stated }: Partial<Predicates['approval']> & { readonly by?: string } = {},
) =>
  signed(
    by,
    'approval',
    { digest: SET },
    {
      environment: 'production',
      role: 'security',
      projectDigest: { sha256: PROJECT_DIGEST },
      time: '2026-11-24T11:00:00Z',
      expires: '2026-11-24T19:00:00Z',
      ...stated,
      imported: { ...FROM, ...more },
    },
  );

interface Counted extends ApprovalCount {
  readonly notes: readonly string[];
}

function count(
  files: readonly StatementFile[],
  rule: ImportRule | undefined = RULE,
  forges = [FORGE],
): Counted {
  const approvals = [
    { role: 'security', count: 1, from: ['security'], ...(rule === undefined ? {} : { imported: rule }) },
  ];
  const environment: Environment = { ...PRODUCTION, approvals };
  const project: Project = { ...PROJECT, people, forges, environments: [environment] };
  const { standing, notes } = gather(files, { project, environment, trust: TRUST, at: NOW });
  if (standing.approvals === undefined) throw new Error('no approvals are asked for');
  const asked = { requester: { id: 'alice', how: 'key', trust: 'verified' }, authors: [] } as const;
  const frame = { environment: 'production', setDigest: SET, time: NOW, asked };
  return { ...countApprovals(standing.approvals, frame), notes };
}

describe('an imported approval', () => {
  it('counts for a rule that accepts it', async () => {
    const file = await imported();
    expect(count([file])).toMatchObject({
      got: [{ digest: file.id, person: 'carol' }],
      excluded: [],
      notes: [],
    });
  });

  it.each<[string, ImportRule | undefined, readonly Forge[], Partial<Imported>, object]>([
    ['that asks for what binds the content', undefined, [FORGE], {}, {}],
    ['of another project', { ...RULE, project: 'shop/other' }, [FORGE], {}, {}],
    ['of another forge', RULE, [{ ...FORGE, issuer: 'https://other.example' }], {}, {}],
    ['of a forge that is not declared', RULE, [], {}, {}],
    ['of another way', { ...RULE, via: ['deployment'] }, [FORGE], {}, {}],
    ['of another branch', { ...RULE, target: 'release' }, [FORGE], {}, {}],
    ['of another environment there', RULE, [FORGE], { via: 'deployment', environment: 'staging' }, {}],
    ['of no environment there', RULE, [FORGE], { via: 'deployment' }, {}],
    ['of fewer hours', { ...RULE, longestHours: 7 }, [FORGE], {}, {}],
    ['of eight hours where it states none', RULE, [FORGE], {}, { expires: '2026-11-24T19:00:01Z' }],
    ['of some hours', RULE, [FORGE], {}, { time: '2026-11-24T12:01:00Z', expires: '2026-11-24T12:01:00Z' }],
  ])('counts for no rule %s', async (_, rule, forges, more, stated) => {
    const approval = await imported(more, stated);
    const environment = rule === undefined ? undefined : rule;
    const counted =
      environment === undefined ? bound([approval]) : count([approval], environment, [...forges]);
    expect(counted).toMatchObject({ got: [], excluded: [{ person: 'carol', why: 'imported' }] });
  });

  it('counts for a merge request into the branch of the rule', async () => {
    const file = await imported({ target: 'release' });
    expect(count([file], { ...RULE, target: 'release' }).got).toHaveLength(1);
  });

  it('counts for no rule where it is not said into which branch it is', () => {
    const { target, ...from } = FROM;
    const times = { time: '2026-11-24T11:00:00Z', expires: '2026-11-24T19:00:00Z' };
    const frame = { rule: RULE, forges: [FORGE], environment: 'production' };
    expect(isAccepted({ ...from, target: target ?? '' }, times, frame)).toBe(true);
    expect(isAccepted(from, times, frame)).toBe(false);
  });

  it('counts for a deployment to the environment of the rule', async () => {
    const file = await imported({ via: 'deployment', environment: 'prod' });
    expect(count([file], { ...RULE, environment: 'prod' }).got).toHaveLength(1);
  });

  it('is not beside what the same person signed', async () => {
    const own = await approved('carol');
    const counted = count([await imported(), own]);
    expect(counted).toMatchObject({
      got: [{ digest: own.id, person: 'carol' }],
      excluded: [{ person: 'carol', why: 'counted' }],
    });
  });

  it('is of nobody who wrote it, and takes their own approval with it', async () => {
    const authors = [{ subject: '3', name: 'carol' }];
    const why = [{ person: 'carol', why: 'author' }];
    expect(count([await imported({ authors })])).toMatchObject({ got: [], excluded: why });
    const bob = { subject: '2', name: 'bob' };
    expect(count([await imported({ authors, approver: bob }), await approved('carol')])).toMatchObject({
      got: [{ person: 'bob' }],
      excluded: why,
    });
  });

  it.each<[string, Partial<Imported>, Parameters<typeof imported>[1], string]>([
    ['a key that approves', {}, { by: 'carol' }, 'key "carol" is not trusted for import'],
    [
      'nobody',
      { approver: { subject: '9', name: 'carol' } },
      {},
      '"9" of "https://forge.example" is none of the people',
    ],
    [
      'another issuer',
      { issuer: 'https://other.example' },
      {},
      '"3" of "https://other.example" is none of the people',
    ],
    ['a waiver', {}, { role: 'waiver' }, 'what somebody signed is approved by signing'],
    ['a lock', {}, { role: 'lock' }, 'what somebody signed is approved by signing'],
    ['a review', {}, { role: 'review' }, 'what somebody signed is approved by signing'],
  ])('does not count by or for %s', async (_, more, stated, why) => {
    const file = await imported(more, stated);
    const { got, excluded, notes } = count([file]);
    expect({ got, excluded }).toEqual({ got: [], excluded: [] });
    expect(notes).toEqual([`${JSON.stringify(file.name)} does not count: ${why}`]);
  });

  it('without its mark is signed by nobody', async () => {
    const { notes, got } = count([await approved('ed')]);
    expect([got, notes[0]?.includes('key "ed" is not trusted for approval')]).toEqual([[], true]);
  });
});

const revocation = (digest: string, by: string) =>
  signed(
    by,
    'revocation',
    { name: 'approval', digest },
    {
      environment: 'production',
      statementType: 'https://countersign.dev/attestation/approval/v1',
      reason: 'gone',
      time: '2026-11-24T11:30:00Z',
    },
  );

describe('who took an approval back', () => {
  const why = { person: 'carol', why: 'revoked' };
  const NONE = { got: [], excluded: [why, why] };
  const at = (time: string) => ({ approvedAt: `2026-11-24T${time}Z` });
  /** What a later run makes of the same approval. */
  const again = (more: Partial<Imported> = {}) => imported(more, { time: '2026-11-24T11:45:00Z' });

  it.each<[string, Partial<Imported>, object]>([
    ['is not heard again by importing it again', at('10:00:00'), NONE],
    ['at the same moment', at('11:30:00'), NONE],
    ['where the forge does not say when it was given', {}, NONE],
    ['and gave it again there', at('11:30:01'), { got: [{ person: 'carol' }] }],
    ['of another number', { number: '43' }, { got: [{ person: 'carol' }] }],
    ['of another commit', { commit: 'e'.repeat(40) }, { got: [{ person: 'carol' }] }],
    ['of somebody else', { approver: { subject: '2', name: 'bob' } }, { got: [{ person: 'bob' }] }],
  ])('%s', async (_, more, expected) => {
    const first = await imported(at('10:00:00'));
    const files = [first, await revocation(first.id, 'bob'), await again(more)];
    expect(count(files)).toMatchObject(expected);
    expect(count([...files].reverse())).toMatchObject(expected);
  });

  it('that they had signed for these bytes has taken back their import of them', async () => {
    const own = await approved('carol');
    const revoked = [own, await revocation(own.id, 'carol')];
    expect(count([...revoked, await again(at('10:00:00'))])).toMatchObject({ got: [] });
    expect(count([...revoked, await again()])).toMatchObject({ got: [] });
    expect(count([...revoked, await again(at('11:40:00'))]).got).toMatchObject([{ person: 'carol' }]);
    const other = await approved('carol', {}, 'f'.repeat(64));
    const elsewhere = [other, await revocation(other.id, 'carol')];
    expect(count([...elsewhere, await again(at('10:00:00'))]).got).toMatchObject([{ person: 'carol' }]);
  });

  it('is a person: what an importer took back is imported again', async () => {
    const first = await imported(at('10:00:00'));
    const files = [first, await revocation(first.id, 'ed'), await again(at('10:00:00'))];
    expect(count(files).got).toMatchObject([{ person: 'carol' }]);
  });
});

describe('who imports', () => {
  it('takes an import back, and so does whoever approves', async () => {
    const file = await imported();
    for (const by of ['ed', 'bob'])
      expect(count([file, await revocation(file.id, by)])).toMatchObject({
        got: [],
        excluded: [{ person: 'carol', why: 'revoked' }],
      });
  });

  it('takes nothing back that somebody signed', async () => {
    const own = await approved('carol');
    expect(count([own, await revocation(own.id, 'ed')]).got).toHaveLength(1);
    // Nor does the same statement, signed again, unmake what a person took back.
    const both = [own, await revocation(own.id, 'bob'), await revocation(own.id, 'ed')];
    expect(count(both).got).toHaveLength(0);
  });
});

const bound = (files: readonly StatementFile[]): Counted => {
  const { standing, notes } = gather(files, {
    project: { ...PROJECT, people, forges: [FORGE] },
    environment: PRODUCTION,
    trust: TRUST,
    at: NOW,
  });
  if (standing.approvals === undefined) throw new Error('no approvals are asked for');
  const frame = { environment: 'production', setDigest: SET, time: NOW, asked: { authors: [] } };
  return { ...countApprovals(standing.approvals, frame), notes };
};
