// SPDX-License-Identifier: Apache-2.0
// What `verify record` says of records whose signature holds: for whom the key speaks, and under which policies and Project.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Ledger } from '../../attest/index.ts';
import type { Io } from '../../cli/io.ts';
import {
  appendTo,
  newSigner,
  open,
  statementBytes,
  temporaryFolders,
  trustedKey,
  trustOf,
} from '../attest/fixture.ts';
import { countersign, type Outcome } from './world.ts';

const folders = temporaryFolders();
const folder = folders.make();
const signer = newSigner();
const hex = (digit: string): string => digit.repeat(64);
const POLICIES = [
  { name: 'baseline', revision: '1', digest: { sha256: hex('1') }, sources: { sha256: hex('2') } },
];
let ledger: Ledger;

beforeAll(() => {
  ledger = open(folders.make());
});
afterAll(async () => {
  await ledger.close();
  folders.removeAll();
});

const at = (name: string): string => join(folder, name);

/** Verifies a record with this predicate by a key trusted for these environments. */
async function verify(
  predicate: object,
  o: {
    readonly environments?: readonly string[];
    readonly argv?: readonly string[];
    readonly world?: Partial<Io>;
  } = {},
): Promise<Outcome> {
  const record = {
    verdict: 'allow',
    time: 'T',
    scope: { operations: ['CREATE'] },
    policies: POLICIES,
    ...predicate,
  };
  writeFileSync(
    at('record.json'),
    JSON.stringify(await appendTo(ledger, signer, statementBytes({ predicate: record }))),
  );
  const key = trustedKey(signer, { environments: [...(o.environments ?? ['*'])] });
  writeFileSync(at('trust.json'), JSON.stringify(trustOf([key], [ledger])));
  const argv = ['verify', 'record', at('record.json'), '--trust', at('trust.json'), ...(o.argv ?? [])];
  return countersign(argv, o.world);
}

/** Exit code and the lines that say no. */
async function refusals(
  ...args: Parameters<typeof verify>
): Promise<{ exit: number; no: readonly string[] }> {
  const { exit, out } = await verify(...args);
  return { exit, no: out.split('\n').filter((line) => line.startsWith('no  ')) };
}

const scope = (environment: string): object => ({ scope: { environment, operations: ['CREATE'] } });

describe('the environments of a key', () => {
  it('are compared with the record, whether --env is given or not', async () => {
    const environments = ['staging'];
    const no = ['no  environment: the record is for "production", for which key "ci" is not trusted'];
    expect(await refusals(scope('production'), { environments })).toEqual({ exit: 1, no });
    expect(await refusals(scope('staging'), { environments })).toEqual({ exit: 0, no: [] });
  });

  it('do not hold for a record of no environment, which is not one of all', async () => {
    const no = ['no  environment: the record is for no environment, for which key "ci" is not trusted'];
    expect(await refusals({}, { environments: ['staging'] })).toEqual({ exit: 1, no });
    expect(await refusals({})).toEqual({ exit: 0, no: [] });
  });

  it('are not enough where the caller wants another one, or the record is limited in a way nobody knows', async () => {
    expect(await refusals(scope('staging'), { argv: ['--env', 'production'] })).toEqual({
      exit: 1,
      no: ['no  environment: the record is for "staging", not for "production"'],
    });
    expect(await refusals({ scope: { environment: 'a', tenants: ['b'] } })).toEqual({
      exit: 1,
      no: ['no  environment: the record is for "a", limited by "tenants", which is not known here'],
    });
  });
});

describe('the policies and the Project of a record', () => {
  it('are printed, as text and as JSON', async () => {
    const predicate = { ...scope('live'), projectDigest: { sha256: hex('3') } };
    const { exit, out } = await verify(predicate);
    expect({ exit, lines: out.split('\n').slice(2, -2) }).toEqual({
      exit: 0,
      lines: [
        'ok  decision: the verdict is allow, at T',
        'ok  environment: the record is for "live"',
        `ok  policies: evaluated "baseline" sha256:${hex('1')}`,
        `ok  project: decided under the Project sha256:${hex('3')}`,
      ],
    });
    const json = await verify(predicate, { argv: ['--format', 'json'] });
    expect(JSON.parse(json.out)).toMatchObject({
      verified: true,
      decided: {
        verdict: 'allow',
        time: 'T',
        environment: 'live',
        projectDigest: hex('3'),
        policies: [{ name: 'baseline', revision: '1', digest: hex('1') }],
      },
    });
  });

  it('can be pinned', async () => {
    const pin = (digit: string) => ({ argv: ['--policy-digest', `sha256:${hex(digit)}`] });
    expect(await refusals({}, pin('1'))).toEqual({ exit: 0, no: [] });
    expect(await refusals({}, pin('2'))).toEqual({
      exit: 1,
      no: [`no  policies: evaluated "baseline" sha256:${hex('1')}, not sha256:${hex('2')}`],
    });
    writeFileSync(at('countersign.yaml'), 'apiVersion: countersign.dev/v1alpha1\nkind: Project\n');
    for (const projectDigest of [undefined, { sha256: hex('3') }]) {
      const { exit, no } = await refusals({ projectDigest }, { argv: ['--project', at('countersign.yaml')] });
      expect({ exit, no }).toEqual({
        exit: 1,
        no: [expect.stringMatching(/^no {2}project: decided under .*, not sha256:/)],
      });
    }
  });

  it('are some: an allow of no policy is none', async () => {
    expect(await refusals({ policies: [] })).toEqual({
      exit: 1,
      no: ['no  policies: no policy was evaluated'],
    });
  });
});

describe('a trust file', () => {
  it('with a key that stands twice is refused: which of the two limits would hold', async () => {
    await verify({});
    const text = JSON.stringify(trustOf([trustedKey(signer)], [ledger]));
    writeFileSync(
      at('trust.json'),
      text.replace('"environments":', '"environments":["staging"],"environments":'),
    );
    expect(await countersign(['verify', 'record', at('record.json'), '--trust', at('trust.json')])).toEqual({
      exit: 5,
      out: '',
      err: expect.stringMatching(/a key twice \[TRUST_SHAPE\]\nhint: /),
    });
  });

  it('that is missing is no answer, with what to do', async () => {
    await verify({});
    expect(await countersign(['verify', 'record', at('record.json'), '--trust', at('none.json')])).toEqual({
      exit: 5,
      out: '',
      err: expect.stringMatching(/ENOENT \[TRUST_UNREADABLE\]\nhint: /),
    });
  });
});

describe('the progress of a verification', () => {
  /** A world whose clock goes on by so much with each look at it. */
  const world = (stepMs: number, errIsTerminal: boolean): Partial<Io> => {
    let now = Date.parse('2026-11-24T12:00:00Z');
    return {
      errIsTerminal,
      now: () => {
        now += stepMs;
        return new Date(now);
      },
    };
  };
  const manifests = (): string => {
    const folder = folders.make();
    const pod = (name: string): string => `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\n`;
    for (const name of ['a', 'b', 'c', 'd', 'e']) writeFileSync(join(folder, `${name}.yaml`), pod(name));
    return folder;
  };

  it('is drawn on a terminal where it takes long, and erased', async () => {
    const { out, err } = await verify({}, { argv: ['--manifests', manifests()], world: world(700, true) });
    expect(err.replaceAll('\r\u001b[K', '|')).toBe(
      '|verifying … 2/5|verifying … 3/5|verifying … 4/5|verifying … 5/5|verifying … 1/5|verifying … 2/5|verifying … 3/5|verifying … 4/5|verifying … 5/5|',
    );
    expect(out).toContain('manifests: 5 objects');
  });

  it('is not drawn where it does not, nor where nobody looks', async () => {
    for (const [stepMs, isTerminal] of [[1, true] as const, [700, false] as const]) {
      const answer = await verify(
        {},
        { argv: ['--manifests', manifests()], world: world(stepMs, isTerminal) },
      );
      expect(answer.err).toBe('');
    }
  });
});
