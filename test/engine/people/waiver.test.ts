// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Finding, objectId } from '../../../engine/decide/finding.ts';
import { gather } from '../../../engine/people/gather.ts';
import type { StatementFile } from '../../../engine/people/signed.ts';
import type { Predicates } from '../../../engine/people/statement.ts';
import { applyWaivers, lengthFault, scopeDigest, type Waiver } from '../../../engine/people/waiver.ts';
import { approved, gathered, NOW, PRODUCTION, PROJECT, signed, trustOf } from './signing.ts';

const finding = (parts: Partial<Finding> = {}): Finding => ({
  rule: 'pod.privileged',
  result: 'fail',
  message: 'privileged',
  severity: 'high',
  controls: [],
  object: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
  ...parts,
});
const WAIVER: Waiver = {
  id: '1'.repeat(64),
  environment: 'production',
  rule: 'pod.privileged',
  object: 'apps/Deployment/shop/web',
  ticket: 'SEC-1',
  reason: 'until the driver is mended',
  notBefore: '2026-11-20T00:00:00Z',
  expires: '2026-12-01T00:00:00Z',
  requester: 'alice',
  approver: 'carol',
};
const FRAME = { environment: 'production', time: NOW, longestDays: {} };
const resultOf = (one: Finding, waivers: readonly Waiver[] = [WAIVER], frame = FRAME): string | undefined =>
  applyWaivers([one], waivers, frame)[0]?.result;

describe('a waiver', () => {
  it('skips what it is about and is named by it', () => {
    expect(applyWaivers([finding()], [WAIVER], FRAME)).toEqual([
      finding({ result: 'skip', waiver: WAIVER.id }),
    ]);
  });

  const other = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web-2' };
  it.each([
    ['another rule', finding({ rule: 'pod.host-network' }), WAIVER, FRAME],
    ['another name', finding({ object: other }), WAIVER, FRAME],
    ['another namespace', finding({ object: { ...other, name: 'web', namespace: 'shop-2' } }), WAIVER, FRAME],
    [
      'another group',
      finding({ object: { ...other, name: 'web', apiVersion: 'apps.example/v1' } }),
      WAIVER,
      FRAME,
    ],
    ['another environment', finding(), WAIVER, { ...FRAME, environment: 'staging' }],
    ['the moment it ends', finding(), { ...WAIVER, expires: NOW.toISOString() }, FRAME],
    ['before it begins', finding(), { ...WAIVER, notBefore: '2026-11-24T12:00:01Z' }, FRAME],
    ['what is too severe for so long', finding({ severity: 'critical' }), WAIVER, FRAME],
    [
      'a name that only begins so',
      finding({ object: other }),
      { ...WAIVER, object: 'apps/Deployment/shop/web*' },
      FRAME,
    ],
    ['an error', finding({ result: 'error' }), WAIVER, FRAME],
    ['approvals', finding({ rule: 'approval.missing' }), { ...WAIVER, rule: 'approval.missing' }, FRAME],
  ] as const)('leaves %s as it is', (_, one, waiver, frame) => {
    expect(resultOf(one, [waiver], frame)).toBe(one.result);
  });

  it('of every name stays in its kind and namespace', () => {
    const wide = { ...WAIVER, object: 'apps/Deployment/shop/*' };
    expect(resultOf(finding({ object: other }), [wide])).toBe('skip');
    expect(resultOf(finding({ object: { ...other, namespace: 'pay' } }), [wide])).toBe('fail');
    expect(resultOf(finding({ object: { ...other, kind: 'StatefulSet' } }), [wide])).toBe('fail');
  });

  it('of the object itself is named before one of every name, and the one that ends last before others', () => {
    const wide = { ...WAIVER, id: '0'.repeat(64), object: 'apps/Deployment/shop/*' };
    const longer = { ...WAIVER, id: '2'.repeat(64), expires: '2026-12-02T00:00:00Z' };
    expect(applyWaivers([finding()], [wide, WAIVER, longer], FRAME)[0]?.waiver).toBe(longer.id);
  });

  it('does not combine with another: each is whole by itself', () => {
    const halves = [
      { ...WAIVER, rule: 'pod.host-network' },
      { ...WAIVER, object: 'apps/Deployment/shop/web-2' },
      { ...WAIVER, environment: 'staging' },
      { ...WAIVER, expires: NOW.toISOString() },
    ];
    expect(resultOf(finding(), halves)).toBe('fail');
  });

  it('for A never allows B, whatever the waivers', () => {
    const word = fc.constantFrom('a', 'b', 'a-b', 'ab', '*');
    const day = fc
      .integer({ min: -10, max: 10 })
      .map((days) => new Date(NOW.getTime() + days * 86_400_000).toISOString());
    const waivers = fc.array(
      fc
        .record({
          rule: word,
          environment: word,
          group: word,
          kind: word,
          namespace: word,
          name: word,
          notBefore: day,
          expires: day,
        })
        .map(
          ({ group, kind, namespace, name, ...rest }): Waiver => ({
            ...WAIVER,
            ...rest,
            object: `${group}/${kind}/${namespace}/${name}`,
          }),
        ),
      { maxLength: 8 },
    );
    const found = fc
      .record({ rule: word, group: word, kind: word, namespace: word, name: word })
      .map(({ rule, group, kind, namespace, name }) =>
        finding({ rule, object: { apiVersion: `${group}/v1`, kind, namespace, name } }),
      );
    fc.assert(
      fc.property(waivers, found, word, (all, one, environment) => {
        const [result] = applyWaivers([one], all, { ...FRAME, environment });
        const id = objectId(one.object);
        const prefix = id.slice(0, id.lastIndexOf('/') + 1);
        const isNamed = all.some(
          (waiver) =>
            waiver.rule === one.rule &&
            waiver.environment === environment &&
            (waiver.object === id || waiver.object === `${prefix}*`) &&
            Date.parse(waiver.notBefore) <= NOW.getTime() &&
            NOW.getTime() < Date.parse(waiver.expires),
        );
        expect(result?.result).toBe(isNamed ? 'skip' : 'fail');
      }),
      { numRuns: 2000 },
    );
  });

  it('is as long as its severity allows', () => {
    const days = (count: number): { notBefore: string; expires: string } => ({
      notBefore: '2026-11-01T00:00:00Z',
      expires: new Date(Date.parse('2026-11-01T00:00:00Z') + count * 86_400_000).toISOString(),
    });
    for (const [severity, most] of [
      ['critical', 7],
      ['high', 30],
      ['medium', 90],
      ['low', 180],
    ] as const) {
      expect(lengthFault(days(most), severity, {})).toBeUndefined();
      expect(lengthFault(days(most + 1), severity, {})).toBe(
        `what is ${severity} is waived for ${most} days at most`,
      );
    }
    expect(lengthFault(days(1), 'critical', { critical: 0 })).toBe('what is critical is never waived');
  });
});

describe('a waiver that counts', () => {
  const PREDICATE: Predicates['waiver'] = {
    environment: 'production',
    rule: 'pod.privileged',
    object: 'apps/Deployment/shop/web',
    reason: 'until the driver is mended',
    ticket: 'SEC-1',
    notBefore: '2026-11-24T10:00:00Z',
    expires: '2026-12-01T10:00:00Z',
  };
  const waived = (by: string, parts: Partial<Predicates['waiver']> = {}): ReturnType<typeof signed> => {
    const predicate = { ...PREDICATE, ...parts };
    return signed(by, 'waiver', { name: 'waiver.txt', digest: scopeDigest(predicate) }, predicate);
  };
  const agreed = (by: string, id: string, parts = {}): ReturnType<typeof signed> =>
    approved(by, { role: 'waiver', expires: '2026-12-01T10:00:00Z', ...parts }, id);
  const waiversOf = (files: readonly StatementFile[], given = {}): readonly Waiver[] =>
    gathered(files, given).standing.waivers;

  it('was asked for by one and approved by another', async () => {
    const file = await waived('alice');
    expect(waiversOf([file, await agreed('carol', file.id)])).toEqual([
      { ...WAIVER, id: file.id, notBefore: '2026-11-24T11:00:00Z', expires: '2026-12-01T10:00:00Z' },
    ]);
  });

  it('ends with its approval', async () => {
    const file = await waived('alice');
    const [waiver] = waiversOf([file, await agreed('carol', file.id, { expires: '2026-11-25T00:00:00Z' })]);
    expect(waiver?.expires).toBe('2026-11-25T00:00:00Z');
  });

  it.each([
    ['nobody approved', 'alice', undefined, {}, 'nobody but alice, who asks for it, has approved it'],
    [
      'who asks approved, with another key',
      'carol',
      'carol-token',
      {},
      'nobody but carol, who asks for it, has approved it',
    ],
    ['somebody approved who may not', 'bob', 'alice', {}, 'nobody but bob, who asks for it, has approved it'],
    [
      'is about approvals',
      'alice',
      'carol',
      { rule: 'approval.missing' },
      'rule "approval.missing" is never waived',
    ],
  ] as const)('is none that %s', async (_, by, approver, parts, reason) => {
    const file = await waived(by, parts);
    const files = approver === undefined ? [file] : [file, await agreed(approver, file.id)];
    const { standing, notes } = gathered(files);
    expect(standing.waivers).toEqual([]);
    expect(notes).toEqual([`waiver ${JSON.stringify(file.name)} does not count: ${reason}`]);
  });

  it('is none whose approval is of another role, waiver or environment', async () => {
    const file = await waived('alice');
    const other = await waived('alice', { rule: 'pod.host-network' });
    expect(waiversOf([file, await agreed('carol', file.id, { role: 'security' })])).toEqual([]);
    expect(waiversOf([file, await agreed('carol', other.id)])).toEqual([]);
    expect(waiversOf([file, await agreed('carol', file.id, { environment: 'staging' })])).toEqual([]);
  });

  it('is none in a Project that names nobody, that was revoked, or whose subject is something else', async () => {
    const file = await waived('alice');
    const files = [file, await agreed('carol', file.id)];
    const { waivers: _nobody, ...project } = PROJECT;
    const frame = { project, environment: PRODUCTION, trust: trustOf(), at: NOW };
    expect(gather(files, frame).standing.waivers).toEqual([]);
    const revocation = await signed(
      'bob',
      'revocation',
      { name: 'waiver', digest: file.id },
      {
        environment: 'production',
        statementType: 'https://countersign.dev/attestation/waiver/v1',
        reason: 'mended',
        time: '2026-11-24T11:30:00Z',
      },
    );
    expect(waiversOf([...files, revocation])).toEqual([]);
    const odd = await signed('alice', 'waiver', { name: 'waiver.txt', digest: 'd'.repeat(64) }, PREDICATE);
    expect(waiversOf([odd, await agreed('carol', odd.id)])).toEqual([]);
  });
});
