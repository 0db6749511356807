// SPDX-License-Identifier: Apache-2.0
// Data of a policy changed in place: the rules see it, and the reference follows it.
import { hash } from 'node:crypto';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EngineError } from '../../../engine/error.ts';
import { type CompiledPolicy, compilePolicy, loadPolicy, type Policy } from '../../../engine/policy/index.ts';
import { openRegoToolchain } from '../../../engine/toolchain/rego.ts';
import { expectThrown } from '../../expect.ts';

const toolchain = openRegoToolchain({ directory: resolve('engine/toolchain/built'), deadlineMs: 60_000 });
afterAll(() => toolchain.close());
const TEXT = 'package main\nimport rego.v1\ndeny contains json.marshal(data.inventory)\n';
let compiled: CompiledPolicy;
beforeAll(async () => {
  const sources = [{ file: 'a.rego', text: TEXT }];
  compiled = await compilePolicy(
    { name: 'p', sources, namespaces: { names: ['main'], all: false } },
    toolchain,
  );
});

const load = (data: Record<string, unknown>): Policy =>
  loadPolicy(compiled, {
    name: 'p',
    revision: 'r',
    parameters: {},
    data,
    limits: { memoryBytes: 4 * 1024 * 1024 },
  });
const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
function inventory(policy: Policy): unknown {
  const [result] = policy.evaluate('conftest', Buffer.from('{}'), {}).results;
  const [text] = Array.isArray(result?.value) ? result.value : [];
  return text === undefined ? undefined : JSON.parse(String(text));
}

describe('data of a policy', () => {
  it('is changed in place, and the reference names what is there now', () => {
    const policy = load({ inventory: { a: { x: 1 } } });
    const before = policy.reference;
    policy.setData(['inventory', 'b', 'y'], json([2]));
    expect(inventory(policy)).toEqual({ a: { x: 1 }, b: { y: [2] } });
    const after = policy.reference;
    expect(after).toEqual({ ...before, digest: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(after.digest).not.toBe(before.digest);
    policy.removeData(['inventory', 'b', 'y']);
    expect(inventory(policy)).toEqual({ a: { x: 1 }, b: {} });
    expect([before.digest, after.digest]).not.toContain(policy.reference.digest);
    policy.removeData(['inventory', 'none']);
    policy.removeData(['inventory', 'b']);
    expect(inventory(policy)).toEqual({ a: { x: 1 } });
    policy.removeData(['inventory', 'a']);
    expect(inventory(policy)).toEqual({});
    policy.removeData(['inventory']);
    expect(inventory(policy)).toBeUndefined();
  });

  it('has one digest for the same documents at the same paths, in whatever order they came', () => {
    const names = ['a', 'b', 'c', 'd'];
    const digestOf = (order: readonly string[]): string => {
      const policy = load({});
      for (const name of order) policy.setData(['inventory', 'objects', name], json({ name }));
      policy.setData(['inventory', 'objects', 'gone'], json(1));
      policy.removeData(['inventory', 'objects', 'gone']);
      return policy.reference.digest;
    };
    expect(digestOf([...names].reverse())).toBe(digestOf(names));
    expect(digestOf(['a', 'a', 'b'])).toBe(digestOf(['b', 'a']));
    expect(digestOf(['a'])).not.toBe(digestOf(['b']));
  });

  it('is the same wherever two digests are', () => {
    const path = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 });
    const value = fc.constantFrom<unknown>({}, { a: 1 }, { a: { b: { c: 2 } } }, 3);
    const change = fc.oneof(fc.tuple(path, value), fc.tuple(path));
    const seen = new Map<string, unknown>();
    const beginning = { a: { b: 1 }, c: { c: { c: 1 } } };
    fc.assert(
      fc.property(fc.array(change, { maxLength: 6 }), (changes) => {
        const policy = load({ inventory: beginning });
        for (const [at, ...put] of changes)
          try {
            if (put.length === 0) policy.removeData(['inventory', ...at]);
            else policy.setData(['inventory', ...at], json(put[0]));
          } catch (error) {
            if (!(error instanceof EngineError)) throw error; // the path goes through a number: nothing is changed
          }
        const { digest } = policy.reference;
        const known = seen.get(digest);
        const now = inventory(policy);
        seen.set(digest, now);
        if (known !== undefined) expect(now).toEqual(known);
      }),
      { numRuns: 150, seed: 4 },
    );
    expect(seen.size).toBeGreaterThan(20);
  });

  it('stays what it was where a change is refused', () => {
    const policy = load({ inventory: { a: 1 } });
    const { digest } = policy.reference;
    const refused: readonly (() => void)[] = [
      () => policy.setData([], json({})),
      () => policy.removeData([]),
      () => policy.setData(['countersign', 'parameters'], json({})),
      () => policy.removeData(['countersign']),
      () => policy.setData(['inventory'], Buffer.from('{')),
      () => policy.setData(['inventory', 'a', 'b'], json(1)),
      () => policy.setData(['inventory', '\ud800'], json(1)),
    ];
    for (const change of refused) expectThrown(change, EngineError, 'POLICY_DATA');
    expect(policy.reference.digest).toBe(digest);
    expect(inventory(policy)).toEqual({ a: 1 });
  });

  it('has the digest of module and data where nothing was changed', () => {
    const document = json({ inventory: {}, countersign: { parameters: {} } });
    const module = hash('sha256', compiled.wasm, 'hex');
    expect(load({ inventory: {} }).reference.digest).toBe(
      hash('sha256', `${module}\n${hash('sha256', document, 'hex')}\n`, 'hex'),
    );
  });
});
