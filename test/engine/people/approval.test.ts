// SPDX-License-Identifier: Apache-2.0
// Approvals as reference/record.md §7 and reference/attacks.md §3e attack them: by person, by role, by time, by set.
import { describe, expect, it } from '@jest/globals';
import type { Trust } from '../../../attest/trust/index.ts';
import {
  type ApprovalCount,
  type Asked,
  approvalFindings,
  countApprovals,
} from '../../../engine/people/approval.ts';
import type { StatementFile } from '../../../engine/people/signed.ts';
import { approved, gathered, KEYS, NOW, SET, sealed, signed, trustOf } from './signing.ts';

const ASKED: Asked = { requester: { id: 'alice', how: 'key', trust: 'verified' }, authors: [] };
type Given = Parameters<typeof gathered>[1] & { asked?: Asked; set?: string };

function count(
  files: readonly StatementFile[],
  given: Given = {},
): ApprovalCount & { rules: readonly string[] } {
  const { approvals: duty } = gathered(files, given).standing;
  if (duty === undefined) throw new Error('no approvals are asked for');
  const frame = {
    environment: 'production',
    setDigest: given.set ?? SET,
    time: given.at ?? NOW,
    asked: given.asked ?? ASKED,
  };
  const counted = countApprovals(duty, frame);
  return { ...counted, rules: approvalFindings(counted, duty, frame).map(({ rule }) => rule) };
}

describe('an approval', () => {
  it('by one of the role meets the rule', async () => {
    const file = await approved('carol');
    expect(count([file])).toEqual({
      required: [{ role: 'security', count: 1 }],
      got: [{ digest: file.id, person: 'carol', role: 'security' }],
      excluded: [],
      rules: [],
    });
  });

  it('that nobody gave is missing', () => {
    expect(count([])).toEqual({
      required: [{ role: 'security', count: 1 }],
      got: [],
      excluded: [],
      rules: ['approval.missing'],
    });
  });

  const NO = { got: [], rules: ['approval.missing'] };
  it.each([
    ['of an older set', approved('carol', {}, 'c'.repeat(64)), {}, 'set'],
    [
      'under another Project',
      approved('carol', { projectDigest: { sha256: 'c'.repeat(64) } }),
      {},
      'project',
    ],
    ['that has ended', approved('carol', { expires: '2026-11-24T12:00:00Z' }), {}, 'expired'],
    ['from a clock six minutes ahead', approved('carol', { time: '2026-11-24T12:06:00Z' }), {}, 'not-yet'],
    [
      'by who asks',
      approved('bob'),
      { asked: { ...ASKED, requester: { id: 'bob', how: 'key' as const, trust: 'verified' as const } } },
      'requester',
    ],
    ['by who asks, as somebody says', approved('bob'), { asked: { ...ASKED, authors: ['bob'] } }, 'author'],
    [
      'by somebody outside of the role',
      approved('alice'),
      { asked: { ...ASKED, requester: { id: 'bob', how: 'key' as const, trust: 'verified' as const } } },
      'role',
    ],
    ['in another role', approved('carol', { role: 'owner' }), {}, 'role'],
  ] as const)('%s is excluded', async (_, file, given, why) => {
    const { excluded, ...rest } = count([await file], given);
    expect(rest).toMatchObject(NO);
    expect(excluded.map((one) => one.why)).toEqual([why]);
  });

  it('five minutes ahead is still now', async () => {
    expect(count([await approved('carol', { time: '2026-11-24T12:05:00Z' })]).rules).toEqual([]);
  });

  it('of another environment is none', async () => {
    expect(count([await approved('carol', { environment: 'staging' })])).toMatchObject({
      ...NO,
      excluded: [],
    });
  });

  it('is none where it is not known who asks, or only said', async () => {
    const file = await approved('carol');
    const said: Asked = { requester: { id: 'alice', how: 'flag', trust: 'asserted' }, authors: [] };
    expect(count([file], { asked: { authors: [] } }).rules).toEqual(['approval.requester']);
    expect(count([file], { asked: said }).rules).toEqual(['approval.requester']);
    expect(count([file], { asked: said, environment: { requester: 'asserted' } }).rules).toEqual([]);
    expect(count([file], { asked: { authors: [] }, environment: { requester: 'asserted' } }).rules).toEqual([
      'approval.requester',
    ]);
  });

  it('that was taken back counts no more, whoever of them did it', async () => {
    const file = await approved('carol');
    const revocation = await signed(
      'bob',
      'revocation',
      { name: 'approval', digest: file.id },
      {
        environment: 'production',
        statementType: 'https://countersign.dev/attestation/approval/v1',
        reason: 'the image is withdrawn',
        time: '2026-11-24T11:30:00Z',
      },
    );
    expect(count([file, revocation])).toMatchObject({
      ...NO,
      excluded: [{ person: 'carol', why: 'revoked' }],
    });
  });

  it.each([
    ['security', 'approval'],
    ['waiver', 'waiver'],
    ['review', 'break-glass'],
    ['lock', 'lock'],
  ])(
    'in role %s is taken back by whose key is for %s or for approvals, and by no other',
    async (role, use) => {
      const file = await approved('carol', { role });
      const revocation = await signed(
        'bob',
        'revocation',
        { name: 'approval', digest: file.id },
        {
          environment: 'production',
          statementType: 'https://countersign.dev/attestation/approval/v1',
          reason: 'withdrawn',
          time: '2026-11-24T11:30:00Z',
        },
      );
      const bobWith = (uses: readonly string[]): Trust =>
        trustOf(KEYS.map((key) => (key.name === 'bob' ? { ...key, uses } : key)));
      // Older revocations of what is about another statement were signed as those of approvals.
      for (const able of [use, 'approval']) {
        const found = gathered([revocation, file], { trust: bobWith([able]) });
        expect(found.standing.unverified).toEqual([]);
        expect(found.signed.map(({ kind }) => kind)).toEqual(['revocation', 'approval']);
      }
      // No approval of another statement is imported, so who imports takes none back.
      const imports = role === 'security' ? [] : ['import'];
      const others = ['waiver', 'break-glass', 'lock', ...imports].filter((one) => one !== use);
      const unable = gathered([file, revocation], { trust: bobWith(others) });
      expect(unable.standing.unverified).toEqual([
        `"${revocation.name}" does not count: key "bob" is not trusted for ${use}`,
      ]);
      expect(unable.signed.map(({ kind }) => kind)).toEqual(['approval']);
      // What it takes back is not here: it holds nothing back, and whoever may sign one of its kind has signed it.
      expect(gathered([revocation], { trust: bobWith([use]) }).standing.unverified).toEqual([]);
      expect(gathered([revocation], { trust: bobWith(['record']) }).standing.unverified).toEqual([
        `"${revocation.name}" does not count: key "bob" is not trusted for approval`,
      ]);
    },
  );
});

describe('a signature', () => {
  const notes = (files: readonly StatementFile[], given: Given = {}): readonly string[] => {
    expect(count(files, given)).toMatchObject({ got: [], excluded: [] });
    return gathered(files, given).notes.map((note) => note.replace(/^.*does not count: /, ''));
  };

  it('by a key that is not trusted, is no person’s, or is for another environment counts for nothing', async () => {
    expect(notes([await approved('mallory')])[0]).toMatch(/^no trusted key has the id/);
    expect(notes([await approved('ed')])).toEqual(['key "ed" belongs to none of the people']);
    expect(notes([await approved('dave')])).toEqual([
      'key "dave" is not trusted for environment "production"',
    ]);
  });

  it('by a key that is trusted for something else counts for nothing', async () => {
    const trust = trustOf(KEYS.map((key) => ({ ...key, uses: ['waiver'] })));
    expect(notes([await approved('carol')], { trust })).toEqual(['key "carol" is not trusted for approval']);
  });

  it('by somebody who has left since counts for nothing', async () => {
    const trust = trustOf(KEYS.map((key) => ({ ...key, revokedAt: '2026-11-24T11:59:00Z' })));
    expect(notes([await approved('carol')], { trust })).toEqual([
      'key "carol" was revoked at 2026-11-24T11:59:00Z',
    ]);
  });

  it('over other bytes counts for nothing', async () => {
    const { payload } = JSON.parse(
      Buffer.from((await approved('carol', { comment: 'no' })).bytes).toString(),
    );
    const other = JSON.parse(Buffer.from((await approved('carol')).bytes).toString());
    const bytes = Buffer.from(JSON.stringify({ ...other, payload }));
    expect(notes([{ name: 'x.json', bytes, isOwn: true }])).toEqual(['the signature is not by key "carol"']);
  });

  it('over what has a key twice, a member too many or a later version counts for nothing', async () => {
    const envelope = JSON.parse(Buffer.from((await approved('carol')).bytes).toString());
    const text = Buffer.from(envelope.payload, 'base64').toString();
    const each = [
      [text.replace('"role":"security"', '"role":"owner","role":"security"'), /no statement of a kind/],
      [text.replace('"role":"security"', '"approved":true,"role":"security"'), /unknown key "approved"/],
      [text.replace('approval/v1', 'approval/v2'), /no statement of a kind and version/],
      [text.replace('2026-12-01', '2026-02-30'), /is no date/],
      ['approved', /no statement/],
    ] as const;
    for (const [payload, reason] of each) {
      const file = { name: 'x.json', bytes: await sealed(Buffer.from(payload), 'carol'), isOwn: false };
      expect(notes([file])[0]).toMatch(reason);
    }
  });

  it('of a record, of a person’s own type or of a swapped payload type counts for nothing', async () => {
    const envelope = JSON.parse(Buffer.from((await approved('carol')).bytes).toString());
    const swapped = Buffer.from(JSON.stringify({ ...envelope, payloadType: 'application/json' }));
    expect(notes([{ name: 'x.json', bytes: swapped, isOwn: true }])).toEqual([
      'the payload type is "application/json"',
    ]);
    const twice = Buffer.from(
      JSON.stringify({ ...envelope, signatures: [...envelope.signatures, ...envelope.signatures] }),
    );
    expect(notes([{ name: 'x.json', bytes: twice, isOwn: true }])).toEqual([
      'this is no DSSE envelope with one signature that names its key',
    ]);
    const sibling = Buffer.from(JSON.stringify({ ...envelope, approved: true }));
    expect(notes([{ name: 'x.json', bytes: sibling, isOwn: true }])).toEqual([
      'this is no DSSE envelope with one signature that names its key',
    ]);
  });
});

describe('people', () => {
  const two = { environment: { approvals: [{ role: 'security', count: 2, from: ['security'] }] } };

  it('count once, however many keys and signatures they have', async () => {
    const files = [
      await approved('carol'),
      await approved('carol-token', { comment: 'by token' }),
      await approved('carol', { comment: 'again' }),
    ];
    const { got, excluded, rules } = count(files, two);
    expect({ got: got.map(({ person }) => person), excluded, rules }).toEqual({
      got: ['carol'],
      excluded: [
        { person: 'carol', why: 'counted' },
        { person: 'carol', why: 'counted' },
      ],
      rules: ['approval.missing'],
    });
    expect(count([...files, await approved('bob')], two).rules).toEqual([]);
  });

  it('fill one place each: who may act in two roles goes where nobody else can', async () => {
    const environment = {
      approvals: [
        { role: 'security', count: 1, from: ['security'] },
        { role: 'owner', count: 1, from: ['payments'] },
      ],
    };
    const both = [await approved('bob'), await approved('bob', { role: 'owner' })];
    expect(count(both, { environment }).rules).toEqual(['approval.missing']);
    expect(count([...both, await approved('carol')], { environment }).rules).toEqual([]);
  });
});
