// SPDX-License-Identifier: Apache-2.0
// Every sample is a Statement as its tool writes it; beside it stands what it is read into (UPDATE_GOLDEN=1 writes that).

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  type Claim,
  type ClaimProof,
  type ClaimVerdict,
  claimsText,
  MAX_STATEMENT_BYTES,
  PREDICATE_TYPES,
  readClaim,
} from '../../../engine/claims/index.ts';
import { compileSchema } from '../../../engine/context/schema.ts';
import { EngineError } from '../../../engine/error.ts';
import { expectThrown } from '../../expect.ts';

const SAMPLES = resolve('test/engine/claims/samples');
const NAMES = readdirSync(SAMPLES)
  .filter((name) => name.endsWith('.json') && !name.endsWith('.claim.json'))
  .map((name) => name.slice(0, -'.json'.length));
const bytesOf = (name: string): Buffer => readFileSync(join(SAMPLES, `${name}.json`));

const HEX = '5d5b09f6dcb2d53a5fffc60c4ac0d55fabdf556069d6631545f42aa6e3500f2e';
const SIGNER = {
  kind: 'keyless',
  issuer: 'https://gitlab.com',
  identity: 'https://gitlab.com/shop/web//.gitlab-ci.yml@refs/heads/main',
} as const;
const PROOF: ClaimProof = {
  subject: `sha256:${HEX}`,
  digest: `sha256:${'f'.repeat(64)}`,
  signer: SIGNER,
  at: '2026-11-22T23:30:00.000Z',
};

function claimOf(verdict: ClaimVerdict): Claim {
  if (!verdict.ok) throw new Error(`${verdict.code}: ${verdict.reason}`);
  return verdict.claim;
}

const input: { $defs: object } = JSON.parse(readFileSync(resolve('engine/policy/input.schema.json'), 'utf8'));
const faultsOf = compileSchema({ $ref: '#/$defs/claim', $defs: input.$defs });

describe('a sample', () => {
  it.each(NAMES)('%s is read into the claim beside it', (name) => {
    const claim = claimOf(readClaim(bytesOf(name), PROOF));
    const golden = join(SAMPLES, `${name}.claim.json`);
    const { text: _text, ...rest } = claim;
    const shown = `${JSON.stringify(rest, null, 2)}\n`;
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, shown);
    expect(shown).toBe(existsSync(golden) ? readFileSync(golden, 'utf8') : '');
    expect(faultsOf(JSON.parse(claim.text))).toEqual([]);
    const { predicate } = JSON.parse(bytesOf(name).toString('utf8'));
    expect(JSON.parse(claim.text)).toEqual({ ...rest, predicate });
  });

  it('is there for every kind of predicate', () => {
    const kinds = NAMES.map((name) => claimOf(readClaim(bytesOf(name), PROOF)).normalized?.['kind'] ?? '-');
    expect([...new Set(kinds)].sort()).toEqual([
      '-',
      'approval',
      'attributes',
      'deployment-decision',
      'provenance',
      'release',
      'sbom',
      'test-result',
      'verification',
      'vulnerabilities',
    ]);
    expect(NAMES).toHaveLength(25);
  });
});

describe('the text of a claim', () => {
  it('keeps integers of 64 bits exact and is canonical', () => {
    const { text, known, normalized } = claimOf(readClaim(bytesOf('unknown'), PROOF));
    expect({ known, normalized }).toEqual({ known: false, normalized: undefined });
    expect(text).toContain(
      '"predicate":{"__proto__":{"known":true},"count":9007199254740993,"ratio":0.25,"reviewers":["alice","bob"]}',
    );
  });

  it('is there once in an input, in one order', () => {
    const one = claimOf(readClaim(bytesOf('release'), PROOF));
    const two = claimOf(readClaim(bytesOf('scai'), PROOF));
    expect(claimsText([two, one, two])).toBe(claimsText([one, two]));
    expect(JSON.parse(claimsText([one, two]))).toHaveLength(2);
    expect(claimsText([])).toBe('[]');
  });

  it('is refused a thousand times and more', () => {
    const many = Array.from({ length: 1_025 }, (_, index) => ({
      ...claimOf(readClaim(bytesOf('release'), PROOF)),
      text: `${index}`,
    }));
    expectThrown(
      () => claimsText(many),
      EngineError,
      'INPUT_TOO_LARGE',
      'there are 1025 claims, more than 1024',
    );
  });
});

type Json = Record<string, unknown>;
const statement = (change: (statement: Json) => void, name = 'release'): Buffer => {
  const value: Json = JSON.parse(bytesOf(name).toString('utf8'));
  change(value);
  return Buffer.from(JSON.stringify(value));
};
const refusal = (bytes: Uint8Array, proof = PROOF): string => {
  const verdict = readClaim(bytes, proof);
  return verdict.ok ? 'ok' : `${verdict.code} ${verdict.reason}`;
};
const NO_STATEMENT = 'STATEMENT this is no in-toto Statement, or one of its objects has a key twice';

describe('what is no claim', () => {
  it.each([
    ['nothing', ''],
    ['no JSON', 'x'],
    ['null', 'null'],
    ['a list', '[]'],
    ['an empty object', '{}'],
    ['a key twice', bytesOf('release').toString('utf8').replace('"_type"', '"predicateType": "x", "_type"')],
    [
      'a number beyond all',
      '{"_type":"https://in-toto.io/Statement/v1","predicateType":"x","predicate":{"a":1e999}}',
    ],
    ['deep nesting', `{"a":${'['.repeat(100)}${']'.repeat(100)}}`],
  ])('%s', (_, text) => {
    expect(refusal(Buffer.from(text))).toBe(NO_STATEMENT);
  });

  it('a Statement of another version or without a type', () => {
    expect(
      refusal(statement((one) => Object.assign(one, { _type: 'https://in-toto.io/Statement/v2' }))),
    ).toBe(NO_STATEMENT);
    expect(refusal(statement((one) => Object.assign(one, { predicateType: '' })))).toBe(NO_STATEMENT);
    expect(refusal(statement((one) => Object.assign(one, { predicateType: 7 })))).toBe(NO_STATEMENT);
  });

  it('a Statement about something else', () => {
    const other = `sha256:${'0'.repeat(64)}`;
    const reason = `SUBJECT the statement is not about ${JSON.stringify(other)}`;
    expect(refusal(bytesOf('release'), { ...PROOF, subject: other })).toBe(reason);
    for (const subject of [HEX, `sha512:${HEX}`, 'sha256:', '', `SHA256:${HEX}`])
      expect(refusal(bytesOf('release'), { ...PROOF, subject })).toMatch(/^SUBJECT /);
    for (const subject of [[], {}, null, [{ digest: {} }], [{ digest: { sha1: HEX } }], [HEX]])
      expect(refusal(statement((one) => Object.assign(one, { subject })))).toMatch(/^SUBJECT /);
  });

  it('a Statement that is too large', () => {
    const bytes = Buffer.alloc(MAX_STATEMENT_BYTES + 1, 0x20);
    expect(refusal(bytes)).toBe('SIZE the statement has 4194305 bytes, more than 4194304');
  });

  it('a known type without a predicate; of another type it is empty', () => {
    for (const predicate of [undefined, null]) {
      const of = (predicateType: string): ClaimVerdict =>
        readClaim(
          statement((one) => Object.assign(one, { predicate, predicateType })),
          PROOF,
        );
      expect(of('https://slsa.dev/provenance/v1')).toMatchObject({ ok: false, code: 'PREDICATE' });
      expect(claimOf(of('https://shop.example/x')).text).toContain('"predicate":{}');
      const signature = claimOf(of('https://sigstore.dev/cosign/sign/v1'));
      expect(signature.normalized).toEqual({ kind: 'signature' });
    }
  });

  it.each([['text'], [7], [true], [[]]])('a predicate that is %j', (predicate) => {
    for (const type of [...PREDICATE_TYPES, 'https://shop.example/x'])
      expect(refusal(statement((one) => Object.assign(one, { predicate, predicateType: type })))).toBe(
        `PREDICATE the predicate of type ${JSON.stringify(type)} is no object`,
      );
  });
});

describe('a known type that is malformed', () => {
  const types = PREDICATE_TYPES.filter(
    (type) => !/^https:\/\/(?:countersign\.dev|sigstore\.dev)\//.test(type) || type.includes('decision'),
  );

  it.each(types)('%s is refused, not passed on as unknown', (type) => {
    const reason = refusal(
      statement((one) => Object.assign(one, { predicate: { other: 1 }, predicateType: type })),
    );
    expect(reason).toMatch(/^PREDICATE the predicate is not of its type "/);
  });

  it('says where, in three faults at most', () => {
    const empty = { predicateType: 'https://slsa.dev/verification_summary/v1', predicate: {} };
    expect(refusal(statement((one) => Object.assign(one, empty)))).toBe(
      `PREDICATE the predicate is not of its type "https://slsa.dev/verification_summary/v1": ${[
        "/ must have required property 'verifier'",
        "/ must have required property 'resourceUri'",
        "/ must have required property 'policy'",
      ].join('; ')}`,
    );
  });

  it('is refused for a day that there is not, and for a number that is not exact', () => {
    const summary = (change: object): string =>
      refusal(statement((one) => Object.assign(Object(one['predicate']), change), 'vsa-v1'));
    expect(summary({ timeVerified: '2026-02-30T00:00:00Z' })).toMatch(/which is no date$/);
    for (const year of ['9999', '2262', '1969'])
      expect(summary({ timeVerified: `${year}-01-01T00:00:00Z` })).toMatch(/which is no date$/);
    expect(summary({ timeVerified: '2261-12-31T23:59:59Z' })).toBe('ok');
    expect(summary({ timeVerified: 'yesterday' })).toMatch(/^PREDICATE .*must match pattern/);
    expect(summary({ dependencyLevels: { A: 1.5 } })).toMatch(/^PREDICATE .*must be integer/);
    const big = bytesOf('vsa-v1')
      .toString('utf8')
      .replace('"SLSA_BUILD_LEVEL_1": 7', '"A": 9007199254740993');
    expect(refusal(Buffer.from(big))).toMatch(/^PREDICATE .*must be integer/);
  });

  it('is refused where a report of Trivy or Grype is none, wherever it stands', () => {
    const inside = (name: string, change: (result: Json) => void): string =>
      refusal(
        statement((one) => {
          const predicate = Object(one['predicate']);
          change(Object(predicate.scanner?.result ?? predicate));
        }, name),
      );
    expect(inside('vuln-cosign-trivy', (result) => Object.assign(result, { Results: 'none' }))).toMatch(
      /^PREDICATE .*\/Results must be array,null/,
    );
    expect(inside('vuln-cosign-trivy', (result) => Object.assign(result, { SchemaVersion: 3 }))).toMatch(
      /^PREDICATE .*\/SchemaVersion must be equal to constant/,
    );
    expect(inside('vuln-cosign-grype', (result) => delete result['matches'])).toMatch(
      /^PREDICATE .*'matches'/,
    );
    expect(inside('vuln-grype-bare', (result) => Object.assign(result, { matches: [{}] }))).toMatch(
      /^PREDICATE .*\/matches\/0/,
    );
    const generic = { Data: '{"SchemaVersion":2,"Results":{}}' };
    expect(refusal(statement((one) => Object.assign(one, { predicate: generic }), 'generic-text'))).toMatch(
      /^PREDICATE .*\/Results must be array,null/,
    );
  });

  it('at every place of every sample, is refused or read, and never breaks', () => {
    let [refused, turn] = [0, 0];
    for (const name of NAMES) {
      const whole: Json = JSON.parse(bytesOf(name).toString('utf8'));
      for (const path of pathsOf(whole['predicate'])) {
        for (const wrong of WRONG.filter((_, at) => (at + turn) % 3 === 0)) {
          const verdict = readClaim(
            statement((one) => put(one, ['predicate', ...path], wrong), name),
            PROOF,
          );
          turn++;
          if (!verdict.ok) refused++;
          else expect(faultsOf(JSON.parse(verdict.claim.text))).toEqual([]);
        }
      }
    }
    expect(refused).toBeGreaterThan(200);
  });
});

const WRONG = [null, true, -1, 1e300, '', 'x'.repeat(20_000), [], {}, [[]], { __proto__: 1 }];

function pathsOf(value: unknown): string[][] {
  if (typeof value !== 'object' || value === null) return [[]];
  const entries: [string, unknown][] = Object.entries(value);
  return [
    ...(entries.length === 0 ? [[]] : []),
    ...entries.flatMap(([key, item]) => pathsOf(item).map((path) => [key, ...path])),
    ...entries.map(([key]) => [key]),
  ];
}

function put(value: Json, path: readonly string[], wrong: unknown): void {
  let place: object = value;
  for (const key of path.slice(0, -1)) place = Object(Reflect.get(place, key));
  Reflect.set(place, path.at(-1) ?? '', wrong);
}
