// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { EngineError } from '../../../engine/error.ts';
import type { BuiltinServer } from '../../../engine/rego/index.ts';
import { openRegoBuiltins } from '../../../engine/toolchain/index.ts';
import { expectThrown } from '../../expect.ts';

const builtins = openRegoBuiltins(resolve('engine/toolchain/built'));

/** Kind and text of an answer. */
function ask(name: string, ...parameters: readonly string[]): readonly string[] {
  const answer = builtins.call(
    name,
    parameters.map((text) => Buffer.from(text)),
  );
  if (answer.kind === 'value') return ['value', Buffer.from(answer.bytes).toString()];
  return 'message' in answer ? [answer.kind, answer.message] : [answer.kind];
}

const ns = (iso: string): bigint => BigInt(Date.parse(iso)) * 1_000_000n;

describe("OPA's own builtins", () => {
  it("answer with a value, with nothing, or with OPA's error", () => {
    expect(ask('semver.compare', '"1.2.3"', '"1.2.4"')).toEqual(['value', '-1']);
    expect(ask('net.cidr_merge', '{"10.0.0.0/25", "10.0.0.128/25"}')).toEqual(['value', '{"10.0.0.0/24"}']);
    expect(ask('max', '[]')).toEqual(['undefined']);
    expect(ask('units.parse', '"1zz"')).toEqual([
      'failed',
      'units.parse: units.parse: unit zz not recognized',
    ]);
    expect(ask('bits.lsh', '1', '1000000')).toEqual(['refused', 'operand 2 is larger than 100000']);
  });

  it('take large arguments', () => {
    const text = JSON.stringify('x'.repeat(400_000));
    expect(ask('indexof_n', text, '"y"')).toEqual(['value', '[]']);
    expect(ask('base64url.encode_no_pad', text)[1]).toHaveLength(2 + Math.ceil((400_000 * 4) / 3));
  });

  it('show the time of the evaluation, also to what reads the clock of the process', () => {
    const [chain] = chainOfCase();
    for (const [time, isValid] of [
      ['1971-01-01T00:00:00Z', false],
      ['2100-01-01T00:00:00Z', false],
      ['2026-01-01T00:00:00Z', true],
    ] as const) {
      builtins.begin(ns(time));
      expect(ask('time.now_ns')).toEqual(['value', `${ns(time)}`]);
      expect(
        ask('crypto.x509.parse_and_verify_certificates', JSON.stringify(chain))[1]?.startsWith(`[${isValid}`),
      ).toBe(true);
    }
  });

  it('know no other names', () => {
    expectThrown(() => ask('nosuch'), EngineError, 'TOOLCHAIN_FAILED');
    expect(ask('count', '[1]')).toEqual(['value', '1']);
  });

  it('start anew after they broke', () => {
    builtins.begin(ns('2026-01-01T00:00:00Z'));
    expectThrown(
      () => ask('yaml.unmarshal', JSON.stringify('- '.repeat(3_000))),
      EngineError,
      'TOOLCHAIN_FAILED',
    );
    expect(ask('time.now_ns')).toEqual(['value', `${ns('2026-01-01T00:00:00Z')}`]);
  });

  it('are an error where the program is not there', () => {
    const missing: BuiltinServer = openRegoBuiltins(resolve('engine/toolchain/nosuch'));
    expectThrown(() => missing.prepare(), EngineError, 'TOOLCHAIN_FAILED');
    expectThrown(() => missing.call('count', [Buffer.from('[]')]), EngineError, 'TOOLCHAIN_FAILED');
  });
});

/** The certificates of one of OPA's own cases. */
function chainOfCase(): readonly string[] {
  const lines = readFileSync(join(import.meta.dirname, '../../opa-cases/v1.jsonl'), 'utf8').split('\n');
  const line = lines.find((text) => text.includes('"category":"cryptox509parseandverifycertificates"'));
  const { modules }: { modules: readonly string[] } = JSON.parse(line ?? '{}');
  const certs = /certs := `([^`]+)`|"(-----BEGIN[^"]+)"|`(-----BEGIN[^`]+)`/.exec(modules.join('\n'));
  return [certs?.[1] ?? certs?.[2] ?? certs?.[3] ?? ''];
}
