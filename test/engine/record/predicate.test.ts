// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Judgement } from '../../../engine/change.ts';
import { decide } from '../../../engine/decide/decision.ts';
import type { Finding } from '../../../engine/decide/finding.ts';
import { EngineError } from '../../../engine/error.ts';
import {
  decisionFaults,
  listingOf,
  readDecision,
  refuseMalformed,
} from '../../../engine/record/predicate.ts';
import { statementOf } from '../../../engine/record/statement.ts';
import { predicateFiles } from '../../../scripts/predicates.ts';
import { expectThrown, thrownBy } from '../../expect.ts';
import { hex, predicateWith, statementWith } from './fixture.ts';

const ENGINE = { version: '0.1.0', opa: '1.22.2' };

const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const finding: fc.Arbitrary<Finding> = fc.record(
  {
    rule: text,
    result: fc.constantFrom('fail', 'warn', 'error', 'skip'),
    message: text,
    severity: fc.constantFrom('low', 'medium', 'high', 'critical'),
    controls: fc.array(text, { maxLength: 2 }),
    object: fc.record({ apiVersion: fc.constantFrom('v1', 'apps/v1'), kind: text, name: text }),
    path: text,
    waiver: text,
    inherited: fc.constant(true as const),
  },
  { requiredKeys: ['rule', 'result', 'message', 'severity', 'controls', 'object'] },
);

/** Any judgement that could be: its listing is that of its entries. */
const judgement: fc.Arbitrary<Judgement> = fc
  .record({
    findings: fc.array(finding, { maxLength: 5 }),
    names: fc.uniqueArray(fc.string({ unit: fc.constantFrom('a', 'b', 'é', '-', '/', '~') }), {
      maxLength: 4,
    }),
    isDelete: fc.boolean(),
    time: fc.date({ min: new Date('2000-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }),
    passed: fc.dictionary(text, fc.nat()),
    environment: fc.option(fc.constantFrom('production', 'a b'), { nil: undefined }),
    requester: fc.option(fc.record({ uid: text, isAuthenticated: fc.boolean() }), { nil: undefined }),
  })
  .map(({ findings, names, isDelete, time, passed, environment, requester }) => {
    const entries = names
      .map((name) => ({ id: `/Pod//${name}`, apiVersion: 'v1', ...(isDelete ? {} : { digest: hex('7') }) }))
      .sort((a, b) => Buffer.compare(Buffer.from(a.id), Buffer.from(b.id)));
    const listing = entries.map(({ id, digest = '-' }) => `${digest}  ${id}\n`).join('');
    const setDigest = hash('sha256', listing, 'hex');
    const decision = decide({
      id: '019ab500-0000-7000-8000-000000000001',
      phase: 'admission',
      operations: ['CREATE'],
      enforced: true,
      findings,
      passed,
      evaluated: { objects: entries.length, rules: 3 },
      policies: [{ name: 'p', revision: '', digest: hex('1'), sources: hex('2') }],
      ...(environment === undefined ? {} : { environment }),
      inputDigest: hex('3'),
      setDigest,
      contextDigest: hex('4'),
      time: time.toISOString(),
    });
    const images = (): Judgement['images'] extends () => infer T ? T : never => [{ ref: 'web:1' }];
    return {
      decision,
      set: { entries, listing, digest: setDigest },
      images,
      ...(requester === undefined ? {} : { requester }),
    };
  });

describe('the predicate of a decision record', () => {
  it('is the one that is published, and its validator is fresh: npm run predicates', () => {
    for (const [path, text] of predicateFiles())
      expect(`${path}: ${readFileSync(path, 'utf8') === text}`).toBe(`${path}: true`);
  });

  it('of any judgement is as the schema says, reads back, and is the same bytes each time', () => {
    fc.assert(
      fc.property(judgement, (one) => {
        const bytes = statementOf(one, ENGINE);
        const again = statementOf(
          { ...one, decision: { ...one.decision, passed: reversed(one.decision.passed) } },
          ENGINE,
        );
        expect(Buffer.compare(bytes, again)).toBe(0);
        expect(readDecision(bytes)).toMatchObject({
          verdict: one.decision.verdict,
          time: one.decision.time,
          set: { digest: { sha256: one.decision.setDigest } },
        });
      }),
      { numRuns: 200 },
    );
  });

  it('rests on a waiver where an allow has a finding that was waived', () => {
    const waived: Finding = {
      rule: 'r',
      result: 'skip',
      message: 'm',
      severity: 'high',
      controls: [],
      object: { apiVersion: 'v1', kind: 'Pod', name: 'a' },
      waiver: 'W-7',
    };
    const [one] = fc.sample(judgement, { numRuns: 1, seed: 1 });
    if (one === undefined) throw new Error('no sample');
    const basis = (part: Partial<Judgement['decision']>): unknown =>
      readDecision(
        statementOf({ ...one, decision: { ...one.decision, ...part, findings: [waived] } }, ENGINE),
      );
    expect(basis({ verdict: 'allow', basis: 'waiver' })).toMatchObject({
      basis: 'waiver',
      findings: [{ waiver: 'W-7' }],
    });
    expect(basis({ verdict: 'deny' })).toMatchObject({ basis: 'policy' });
  });

  it('has its limits in scope and startBy', () => {
    const [one] = fc.sample(judgement, { numRuns: 1, seed: 2 });
    if (one === undefined) throw new Error('no sample');
    const limited = { ...one, scope: { namespaces: ['shop'] }, startBy: '2026-11-24T20:00:00.000Z' };
    expect(readDecision(statementOf(limited, ENGINE))).toMatchObject({
      startBy: '2026-11-24T20:00:00.000Z',
      scope: { namespaces: ['shop'], operations: ['CREATE'] },
    });
  });
});

const reversed = (value: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(value).reverse());

describe('a predicate that comes in', () => {
  it('is read as it is', () => {
    expect(readDecision(statementWith())).toEqual(predicateWith());
  });

  it.each([
    ['a member that nobody knows', { risk: 'low' }, '"/risk" unknown key "risk"'],
    ['a limit that nobody knows', { scope: { operations: ['CREATE'], tenants: [] } }, '"/scope/tenants"'],
    ['a verdict that is none', { verdict: 'yes' }, '"/verdict"'],
    ['no policies', { policies: undefined }, '"" must have required property \'policies\''],
    ['a time that is none', { time: 'T' }, '"/time" must match pattern'],
    ['a digest of another length', { inputDigest: { sha256: 'ab' } }, '"/inputDigest/sha256" must match'],
    ['another predicate', { verdict: undefined, level: 3 }, '"/level" unknown key "level"'],
  ])('%s is refused', (_, changes, message) => {
    const read = (): unknown => readDecision(statementWith(changes));
    expectThrown(read, EngineError, 'RECORD_SHAPE');
    expect(thrownBy(read)).toMatchObject({ message: expect.stringContaining(message) });
  });

  it('is refused where its objects are not those of its digest', () => {
    const set = { digest: { sha256: hex('4') }, objects: [] };
    const message = 'the objects that the record lists are not those of its set digest';
    expectThrown(() => readDecision(statementWith({ set })), EngineError, 'RECORD_SHAPE', message);
  });

  it('may be anything at all', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(decisionFaults(value).length).toBeGreaterThan(0);
      }),
    );
  });
});

describe('the listing that a record gives', () => {
  it('is ordered by object and then by digest, with what is deleted', () => {
    const at = (id: string, digit: string) => ({ id, apiVersion: 'v1', digest: { sha256: hex(digit) } });
    const ordered = [at('/Pod//a', '1'), at('/Pod//a', '2'), at('/Pod//c', '0')];
    const listing = `${hex('1')}  /Pod//a\n${hex('2')}  /Pod//a\n-  /Pod//b\n${hex('0')}  /Pod//c\n`;
    const digest = { sha256: hex('4') };
    for (const objects of [ordered, ordered.toReversed()])
      expect(listingOf({ digest, objects, deletes: ['/Pod//b'] })).toBe(listing);
  });
});

describe('what is about to be signed', () => {
  it('is refused where it is none, and told with what is wrong', () => {
    expect(refuseMalformed(predicateWith())).toBeUndefined();
    expect(thrownBy(() => refuseMalformed(predicateWith({ verdict: 'yes', time: 'T' })))).toMatchObject({
      code: 'RECORD_SHAPE',
      message: expect.stringMatching(
        /^the predicate is not as version 1 of a decision record has it: .*"\/verdict" /,
      ),
    });
  });
});
