// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { EngineError } from '../../../engine/error.ts';
import {
  kindOf,
  readStatementOf,
  STATEMENT_KINDS,
  statementBytes,
  statementId,
  typeOf,
} from '../../../engine/people/statement.ts';
import { expectThrown } from '../../expect.ts';

const SUBJECT = [{ name: 'set.txt', digest: { sha256: 'a'.repeat(64) } }];
const APPROVAL = {
  environment: 'production',
  role: 'security',
  projectDigest: { sha256: 'b'.repeat(64) },
  time: '2026-11-24T11:00:00Z',
  expires: '2026-12-01T11:00:00Z',
};

describe('a statement', () => {
  it('has a published schema for each kind, strict and by its own name', () => {
    expect(
      readdirSync('docs/schemas').filter((name) =>
        STATEMENT_KINDS.some((kind) => name === `${kind}-v1.json`),
      ),
    ).toHaveLength(5);
    for (const kind of STATEMENT_KINDS) {
      const schema = JSON.parse(readFileSync(`docs/schemas/${kind}-v1.json`, 'utf8'));
      expect([schema.$id, schema.properties.predicateType.const, schema.additionalProperties]).toEqual([
        `https://countersign.dev/schemas/${kind}/v1.json`,
        typeOf(kind),
        false,
      ]);
      new Ajv2020({ allErrors: true, strict: true, strictTypes: false, strictRequired: false }).compile(
        schema,
      );
    }
  });

  it('is the same bytes for the same words, in whatever order', () => {
    const { expires, ...rest } = APPROVAL;
    const bytes = statementBytes('approval', SUBJECT, APPROVAL);
    expect(statementId(statementBytes('approval', SUBJECT, { expires, ...rest }))).toBe(statementId(bytes));
    expect(readStatementOf('approval', bytes)).toMatchObject({ subject: SUBJECT, predicate: APPROVAL });
  });

  it.each([
    ['no date', { ...APPROVAL, time: '2026-02-30T11:00:00Z' }, 'RECORD_SHAPE'],
    ['a local time', { ...APPROVAL, time: '2026-02-20T11:00:00+01:00' }, 'RECORD_SHAPE'],
    ['an empty environment', { ...APPROVAL, environment: '' }, 'RECORD_SHAPE'],
    ['more than its schema has', { ...APPROVAL, approved: true }, 'RECORD_SHAPE'],
    ['a comment without end', { ...APPROVAL, comment: 'x'.repeat(5000) }, 'RECORD_SHAPE'],
  ] as const)('with %s is not made', (_, predicate, code) => {
    expectThrown(() => statementBytes('approval', SUBJECT, predicate), EngineError, code);
  });

  it('of more than 256 KiB is neither made nor read', () => {
    const entries = Array.from({ length: 1024 }, (_, index) => ({
      kind: 'image' as const,
      name: `registry.example/${'x'.repeat(400)}${index}`,
      digest: { sha256: 'a'.repeat(64) },
      state: 'locked' as const,
    }));
    const predicate = { environment: 'production', release: '1', time: APPROVAL.time, entries };
    expectThrown(() => statementBytes('release-lock', SUBJECT, predicate), EngineError, 'RECORD_TOO_LARGE');
    expectThrown(
      () => readStatementOf('approval', Buffer.alloc(256 * 1024 + 1, ' ')),
      EngineError,
      'RECORD_TOO_LARGE',
    );
  });

  it('of another version is of no kind', () => {
    expect(kindOf('https://countersign.dev/attestation/approval/v1')).toBe('approval');
    expect(kindOf('https://countersign.dev/attestation/approval/v2')).toBeUndefined();
    expect(kindOf('https://countersign.dev/attestation/deployment-decision/v1')).toBeUndefined();
  });
});
