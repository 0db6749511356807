// SPDX-License-Identifier: Apache-2.0
// The table and its reader are held to Kubernetes' own types: what they refuse, where, and what they write.
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { canonicalBytes, parseExact } from '../../../engine/record/canonical.ts';
import { type Fault, kindOf, readTyped } from '../../../engine/schema/index.ts';
import { openKube } from '../../../engine/toolchain/kube.ts';
import { KINDS, objectOf, pick, randomFrom } from './objects.ts';

const kube = openKube(resolve('engine/toolchain/built'));
const RUNS = Number(process.env['SCHEMA_RUNS'] ?? 3000);

/** `/spec/containers/0/imag` as Kubernetes writes it: `spec.containers[0].imag`. */
function pathOf({ pointer }: Fault): string {
  return pointer
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce(
      (path, step) => (/^\d+$/.test(step) ? `${path}[${step}]` : path === '' ? step : `${path}.${step}`),
      '',
    );
}

function compare(
  name: string,
  object: Record<string, unknown>,
): 'accepted' | 'unknown fields' | 'wrong type' {
  const [apiVersion = '', kind = ''] = name.split(' ');
  const json = Buffer.from(JSON.stringify(object));
  const theirs = kube.normal(json);
  const ours = readTyped(kindOf(apiVersion, kind)?.struct ?? -1, {
    value: JSON.parse(json.toString()),
    exact: () => parseExact(json),
  });
  const shown = `${json}\n${theirs.error}\n${JSON.stringify(ours.faults)}`;
  const wrong = ours.faults.filter(({ is }) => is === 'type');
  expect([shown, wrong.length > 0]).toEqual([shown, theirs.error !== undefined]);
  if (theirs.error !== undefined) return 'wrong type';
  expect(ours.faults.map(pathOf).sort()).toEqual(theirs.strict.map(({ path }) => path).sort());
  const canonical = Buffer.from(canonicalBytes(theirs.object)).toString();
  expect([shown, ours.text]).toEqual([shown, canonical]);
  return theirs.strict.length > 0 ? 'unknown fields' : 'accepted';
}

describe('the reader of types', () => {
  it(`agrees with Kubernetes on ${RUNS} generated objects`, () => {
    const random = randomFrom(20261124);
    const counts = new Map<string, number>();
    for (let run = 0; run < RUNS; run++) {
      const name = pick(KINDS, random) ?? '';
      const outcome = compare(
        name,
        objectOf(name, { wrong: run % 3 === 0 ? 0 : run % 3 === 1 ? 0.02 : 0.2, random }),
      );
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    }
    for (const outcome of ['accepted', 'unknown fields', 'wrong type'])
      expect(counts.get(outcome) ?? 0).toBeGreaterThan(RUNS / 50);
  });

  it('agrees on an object of every kind that says nothing', () => {
    for (const name of KINDS) {
      const [apiVersion, kind] = name.split(' ');
      expect(compare(name, { apiVersion, kind })).toBe('accepted');
    }
  });
});
