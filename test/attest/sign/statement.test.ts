// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { AttestError, makeStatement } from '../../../attest/index.ts';
import { readStatement } from '../../../attest/verify/statement.ts';
import { expectThrown } from '../../expect.ts';

const HEX = 'ab'.repeat(32);
const SUBJECT = { name: 'registry.example/app', digest: `sha256:${HEX}` };
const TYPE = 'https://example.com/x/v1';
const made = (predicate: string | Uint8Array, type = TYPE): string =>
  makeStatement(SUBJECT, type, Buffer.from(predicate)).toString('utf8');

describe('a statement', () => {
  it('names the digest, the type and the predicate as it is written', () => {
    expect(made(' {"n": 12345678901234567890, "f": 1.0, "e": 1e2}\n')).toBe(
      `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"registry.example/app","digest":{"sha256":"${HEX}"}}],` +
        `"predicateType":"${TYPE}","predicate":{"n": 12345678901234567890, "f": 1.0, "e": 1e2}}`,
    );
  });

  it('is one that we read', () => {
    expect(readStatement(makeStatement(SUBJECT, TYPE, Buffer.from('{}')))).toEqual({
      predicateType: TYPE,
      subjects: [{ name: SUBJECT.name, digest: { sha256: HEX } }],
    });
    expect(
      readStatement(makeStatement({ digest: SUBJECT.digest }, TYPE, Buffer.from('{}')))?.subjects,
    ).toEqual([{ digest: { sha256: HEX } }]);
  });

  it.each([
    ['slsaprovenance', 'https://slsa.dev/provenance/v0.2'],
    ['slsaprovenance02', 'https://slsa.dev/provenance/v0.2'],
    ['slsaprovenance1', 'https://slsa.dev/provenance/v1'],
    ['spdx', 'https://spdx.dev/Document'],
    ['spdxjson', 'https://spdx.dev/Document'],
    ['cyclonedx', 'https://cyclonedx.org/bom'],
    ['vuln', 'https://cosign.sigstore.dev/attestation/vuln/v1'],
    ['link', 'https://in-toto.io/Link/v1'],
    ['openvex', 'https://openvex.dev/ns'],
    ['urn:example:x', 'urn:example:x'],
    ['https://Example.com', 'https://Example.com'],
  ])('has for type %s the type %s', (short, whole) => {
    expect(JSON.parse(made('{}', short)).predicateType).toBe(whole);
  });

  it.each(['', 'custom', 'spdx ', 'SPDX', '__proto__', 'constructor', 'no scheme', 'https://a b', 'x'])(
    'has no type %j',
    (type) => {
      expectThrown(
        () => made('{}', type),
        AttestError,
        'PREDICATE_SHAPE',
        `${JSON.stringify(type)} is no type of a predicate`,
      );
    },
  );

  it.each([
    ['nothing', ''],
    ['a list', '[]'],
    ['a text', '"{}"'],
    ['null', 'null'],
    ['two objects', '{} {}'],
    ['what closes the statement', '{}}, "subject": [{}'],
    ['a key twice', '{"approved": false, "approved": true}'],
    ['a key twice in two spellings', '{"a": {"b": 1, "\\u0062": 2}}'],
    ['half a character', '{"a": "\\ud800"}'],
    ['half a character in a key', '{"\\udc00": 1}'],
    ['a byte order mark', '\ufeff{}'],
    ['bytes that are no UTF-8', Buffer.from('{"a": "\xff"}', 'latin1')],
    ['more than 64 levels', `${'{"a":'.repeat(65)}1${'}'.repeat(65)}`],
    ['YAML', 'a: 1'],
  ])('takes no predicate of %s', (_, predicate) => {
    expectThrown(
      () => made(predicate),
      AttestError,
      'PREDICATE_SHAPE',
      'the predicate is no JSON object that all readers read alike',
    );
  });

  it('takes no predicate that readers would refuse for its size', () => {
    const large = `{"a": "${'x'.repeat(10 * 1024 * 1024)}"}`;
    expectThrown(() => made(large), AttestError, 'PREDICATE_SHAPE', 'the predicate has 10485769 bytes');
  });
});
