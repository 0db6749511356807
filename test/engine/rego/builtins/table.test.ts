// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { BUILTINS, COMPILED, insteadOf } from '../../../../engine/rego/index.ts';

/** OPA's own list; see test/opa-cases/README.md. */
const OPA: readonly { name: string; target: string; nondeterministic?: boolean; result?: string }[] =
  JSON.parse(readFileSync(join(import.meta.dirname, '../../../opa-cases/builtins.json'), 'utf8'));
const ofClass = (wanted: string): string[] =>
  [...BUILTINS]
    .filter(([, found]) => found === wanted)
    .map(([name]) => name)
    .sort();

describe('the table of builtins', () => {
  it('has every builtin of OPA, once', () => {
    expect(OPA).toHaveLength(206);
    expect([...BUILTINS.keys()].sort()).toEqual(OPA.map(({ name }) => name).sort());
    expect(COMPILED.native.length + COMPILED.served.length + ofClass('refused').length).toBe(206);
  });

  it('has as native what the runtime has or the compiler removes', () => {
    const native = OPA.filter(({ target }) => target !== 'host').map(({ name }) => name);
    expect(ofClass('native')).toEqual([...native, 'internal.print'].sort());
  });

  it('serves nothing that is nondeterministic but for a clock or a network that are not there', () => {
    const served = OPA.filter(
      ({ name, nondeterministic }) => nondeterministic && BUILTINS.get(name) === 'served',
    );
    expect(served.map(({ name }) => name)).toEqual(['json.match_schema', 'json.verify_schema']);
    expect(ofClass('pinned')).toEqual([
      'crypto.x509.parse_and_verify_certificates',
      'crypto.x509.parse_and_verify_certificates_with_options',
      'io.jwt.decode_verify',
      'time.now_ns',
    ]);
  });

  it('refuses what reads the world, with what to do instead', () => {
    expect(ofClass('refused')).toEqual([
      'http.send',
      'internal.test_case',
      'io.jwt.encode_sign',
      'io.jwt.encode_sign_raw',
      'net.lookup_ip_addr',
      'opa.runtime',
      'providers.aws.sign_req',
      'rand.intn',
      'uuid.rfc4122',
    ]);
    for (const [name, found] of BUILTINS)
      expect([name, insteadOf(name) !== undefined]).toEqual([name, found === 'refused']);
  });

  it('rewrites every native that can fail, and no other', () => {
    expect([...COMPILED.native].sort()).toEqual(ofClass('native'));
    const left = COMPILED.native.filter((name) => !COMPILED.fallible.includes(name)).sort();
    expect(COMPILED.fallible).toHaveLength(78);
    expect(left).toEqual(
      [
        ...[
          'assign',
          'eq',
          'equal',
          'neq',
          'lt',
          'lte',
          'gt',
          'gte',
          'internal.member_2',
          'internal.member_3',
        ],
        ...[
          'internal.print',
          'internal.template_string',
          'print',
          'rego.metadata.chain',
          'rego.metadata.rule',
        ],
        ...[
          'is_array',
          'is_boolean',
          'is_null',
          'is_number',
          'is_object',
          'is_set',
          'is_string',
          'type_name',
          'walk',
        ],
      ].sort(),
    );
    expect(COMPILED.replaced.every((name) => COMPILED.fallible.includes(name))).toBe(true);
  });
});
