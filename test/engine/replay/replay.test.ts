// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Change } from '../../../engine/change.ts';
import { EngineError } from '../../../engine/error.ts';
import type { JsonObject, JsonValue } from '../../../engine/manifest/document.ts';
import { type DecisionPredicate, readDecision } from '../../../engine/record/predicate.ts';
import { statementOf } from '../../../engine/record/statement.ts';
import { type Kept, readKept } from '../../../engine/replay/kept.ts';
import { type Replayable, replayInstead, replaySame } from '../../../engine/replay/replay.ts';
import { type Bench, openJudge, openProjectJudge } from '../../../engine/review.ts';
import { openSchema } from '../../../engine/schema/index.ts';
import { expectThrown } from '../../expect.ts';
import { changeOf, documentOf, FACTS, policyOf, projectOf, ruleAt } from '../judge.ts';

const ENGINE = { version: '0.1.0', opa: '1.22.2' };
const kindOf = (object: JsonValue): unknown => Reflect.get(Object(object), 'kind');
const NATIVE = policyOf('native', [
  ruleAt('pod.named-a', '/metadata/name', (object) => JSON.stringify(object).includes('"name":"a')),
  {
    code: 'secret.long',
    says: (input) => (JSON.stringify(input).includes('"length":9') ? [{ msg: 'long' }] : []),
  },
]);
const CONFTEST = policyOf('conftest', [
  { code: 'main.deny', style: 'conftest', says: (object) => (kindOf(object) === 'Pod' ? ['a Pod'] : []) },
]);
const BENCH: Bench = {
  policies: [NATIVE, CONFTEST],
  enforcement: { 'main.deny': 'warn' },
  environment: { name: 'production', tier: 'production', namespaces: ['shop'], startWithin: 3600 },
  keepsInputs: true,
};
const POD = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'shop' } };
const secretOf = (data: JsonValue): JsonValue => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {
    name: 'db',
    namespace: 'shop',
    annotations: { 'kubectl.kubernetes.io/last-applied-configuration': 'hunter2' },
  },
  data,
});

interface Written extends Replayable {
  readonly what: Kept;
}

/** A record of a change as a ledger would have it. */
function recordOf(change: Change, bench: Bench = BENCH): Written {
  const judgement = openJudge(bench).review(change, FACTS);
  const what = judgement.kept?.();
  if (what === undefined) throw new Error('nothing is kept');
  const statement = statementOf(judgement, ENGINE, what);
  return { statement, decision: readDecision(statement), kept: what.bytes, what };
}

/** Of a Secret: base64, what is none, numbers, lists of bytes. */
const value: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.base64String(),
  fc.string({ unit: 'binary' }),
  fc.integer(),
  fc.array(fc.integer({ min: -1, max: 300 }), { maxLength: 3 }),
  fc.constantFrom(null, true),
);
const object: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.record({
    apiVersion: fc.constant('v1'),
    kind: fc.constantFrom('Pod', 'Service', 'Thing'),
    metadata: fc.record({ name: fc.constantFrom('a', 'b', 'c'), namespace: fc.constantFrom('shop', 'till') }),
    spec: fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }),
  }),
  fc.dictionary(fc.string(), value, { maxKeys: 3 }).map(secretOf),
  fc.record({ no: fc.constant('object') }),
);
const SHA256 = `sha256:${'a'.repeat(64)}`;
const TOKEN: JsonObject = {
  issuer: 'https://ci.example',
  subject: 's',
  audience: ['a'],
  kid: 'k',
  issuedAt: '2026-11-24T11:00:00.000Z',
  expiresAt: '2026-11-24T12:00:00.000Z',
  digest: SHA256,
  norm: { ref: 'main' },
};
const CLAIM = `{"digest":"${SHA256}","predicateType":"x","signer":{"kind":"key"},"subject":"${SHA256}"}`;
const change: fc.Arbitrary<Change> = fc
  .record({
    value: object,
    operation: fc.constantFrom('CREATE' as const, 'UPDATE' as const, 'DELETE' as const),
    phase: fc.constantFrom('check' as const, 'admission' as const),
    old: fc.option(object, { nil: undefined }),
    isAuthenticated: fc.boolean(),
  })
  .map(({ value, old, isAuthenticated, ...rest }) =>
    changeOf(value, {
      ...rest,
      namespace: 'shop',
      request: Buffer.from('{"uid":"u-1","n":9007199254740993}'),
      requester: { uid: 'u-1', username: 'a', isAuthenticated },
      oidc: [TOKEN],
      claims: new Map([[`sha256:${'a'.repeat(64)}`, [CLAIM]]]),
      trustDigest: 'c'.repeat(64),
      ...(old === undefined ? {} : { oldObject: documentOf(old).json }),
    }),
  );

describe('a record that is replayed', () => {
  it('from before evidence was named is the same, without any', () => {
    const bare = changeOf(POD, {
      oidc: [{ issuer: 'https://ci.example' }],
      claims: new Map([[SHA256, ['{"predicateType":"x"}']]]),
    });
    const { proved: _none, ...judgement } = openJudge({ ...BENCH, policies: [NATIVE] }).review(bare, FACTS);
    const what = judgement.kept?.();
    if (what === undefined) throw new Error('nothing is kept');
    const statement = statementOf(judgement, ENGINE, what);
    const record = { statement, decision: readDecision(statement), kept: what.bytes };
    expect(record.decision.evidence).toBeUndefined();
    expect(replaySame(record, [NATIVE])).toEqual([]);
  });

  it('by the recorded policies is the same, byte for byte: 1,000 of them', () => {
    const bench = { ...BENCH, policies: [NATIVE], schema: openSchema({ enforcement: {} }) };
    let seen = 0;
    fc.assert(
      fc.property(change, (one) => {
        const record = recordOf(one, bench);
        // A path that hides a value is said to be one that cannot be repeated.
        if (record.what.because.length === 0) expect(replaySame(record, [NATIVE])).toEqual([]);
        seen++;
      }),
      { numRuns: 1000 },
    );
    expect(seen).toBe(1000);
  });

  it('by both styles too, but for Secrets, whose values Conftest rules saw', () => {
    expect(recordOf(changeOf(POD)).decision.inputs).toEqual({
      digest: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      replayable: true,
    });
    expect(replaySame(recordOf(changeOf(POD)), BENCH.policies)).toEqual([]);
    expect(recordOf(changeOf(secretOf({ a: 'aHVudGVyMg==' }))).decision.inputs).toMatchObject({
      replayable: false,
      because: ['secret-values'],
    });
  });

  it('in a namespace of no environment is judged as such again', () => {
    const project = projectOf({ unmapped: 'warn' });
    const judge = openProjectJudge(project, new Map([['production', BENCH]]));
    const judgement = judge.review(changeOf(POD, { namespace: 'nobody' }), FACTS);
    // The union of no benches keeps nothing.
    expect(judgement.kept).toBeUndefined();
    const all = judge.review(changeOf(POD), FACTS);
    const what = all.kept?.();
    const statement = statementOf(all, ENGINE, what);
    const record = { statement, decision: readDecision(statement), kept: what?.bytes ?? new Uint8Array() };
    expect(replaySame(record, BENCH.policies)).toEqual([]);
    expect(readKept(record.kept).bench.unmapped).toMatchObject({ rule: 'environment.unmapped' });
  });

  it('by other policies says what differs', () => {
    const lax = policyOf('native', [{ code: 'pod.named-a', says: () => [] }]);
    const record = recordOf(changeOf({ ...POD, metadata: { name: 'a', namespace: 'shop' } }));
    expect(record.decision.verdict).toBe('deny');
    expect(replaySame(record, [lax])).toEqual(
      expect.arrayContaining(['findings', 'passed', 'policies', 'verdict']),
    );
  });

  it('of another version is no answer', () => {
    const record = recordOf(changeOf(POD));
    const kept = Buffer.from(Buffer.from(record.kept).toString().replace('v1alpha1', 'v9'));
    expectThrown(() => replaySame({ ...record, kept }, BENCH.policies), EngineError, 'RECORD_SHAPE');
  });
});

describe('what is kept', () => {
  it('holds no value of a Secret, nor what kubectl kept of it, in the object or the one before', () => {
    const secret = {
      ...Object(secretOf({ key: 'aHVudGVyMg==', bad: 'hunter2!', n: 7 })),
      stringData: { s: 'hunter2é' },
    };
    const one = changeOf(secret, { operation: 'UPDATE', oldObject: documentOf(secret).json });
    const text = Buffer.from(recordOf(one).kept).toString();
    expect(text).not.toMatch(/hunter2|aHVudGVyMg/);
    expect(text).toContain('AAAAAAAAAA==');
    expect(text).toContain('!AAAAAAA');
    expect(text).toContain('xxxxxxxxx');
  });

  it('is the object byte for byte, integers of 64 bits too', () => {
    const json = Buffer.from(
      '{"apiVersion":"v1","kind":"Thing","metadata":{"name":"a"},"n":9007199254740993}',
    );
    const document = { ...documentOf(JSON.parse(json.toString())), json };
    const kept = readKept(recordOf({ ...changeOf(null), documents: [document] }).kept);
    expect(Buffer.from(kept.change.documents[0]?.json ?? []).equals(json)).toBe(true);
  });
});

describe('other policies', () => {
  const named = (name: string, labels: object = {}): Change =>
    changeOf({ ...POD, metadata: { name, namespace: 'shop', labels: { ...labels } } });

  it('show what they newly deny and allow, by rule and team', () => {
    const strict = policyOf('strict', [
      ruleAt('pod.named-b', '', (o) => JSON.stringify(o).includes('"name":"b')),
    ]);
    const instead = { policies: [strict] };
    expect(replayInstead(recordOf(named('b', { team: 'till' })), instead, 'team')).toEqual({
      id: FACTS.id,
      time: FACTS.time.toISOString(),
      environment: 'production',
      was: 'allow',
      now: 'deny',
      denying: ['pod.named-b'],
      allowing: [],
      teams: ['till'],
    });
    expect(replayInstead(recordOf(named('a')), instead, 'team')).toMatchObject({
      was: 'deny',
      now: 'allow',
      denying: [],
      allowing: ['pod.named-a'],
      teams: [],
    });
  });

  it('are enforced as their environment says', () => {
    const strict = policyOf('strict', [ruleAt('pod.named-b', '', () => true)]);
    const enforcement = { 'pod.named-b': 'warn' as const };
    const record = recordOf(named('b'));
    const verdict: DecisionPredicate['verdict'] = replayInstead(
      record,
      { policies: [strict], enforcement },
      'team',
    ).now;
    expect(verdict).toBe('allow');
  });
});
