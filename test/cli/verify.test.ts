// SPDX-License-Identifier: Apache-2.0
// What `verify record` says of records whose signature holds: for whom the key speaks, and under which policies and Project.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Ledger } from '../../attest/index.ts';
import type { Io } from '../../cli/io.ts';
import { appendTo, newSigner, open, temporaryFolders, trustedKey, trustOf } from '../attest/fixture.ts';
import { hex, statementWith } from '../engine/record/fixture.ts';
import { countersign, type Outcome } from './world.ts';

const folders = temporaryFolders();
const folder = folders.make();
const signer = newSigner();
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
  writeFileSync(at('record.json'), JSON.stringify(await appendTo(ledger, signer, statementWith(predicate))));
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
    const { no } = await refusals({ scope: { environment: 'a', operations: ['CREATE'], tenants: ['b'] } });
    expect(no).toEqual([
      expect.stringMatching(/^no {2}statement: .*"\/scope\/tenants" unknown key "tenants"/),
    ]);
  });
});

describe('the verdict of a record', () => {
  it('that is deny is said, and is never a pass, however well the record holds', async () => {
    for (const verdict of ['deny', 'error']) {
      const { exit, out } = await verify({ verdict });
      expect({ exit, last: out.split('\n').at(-2) }).toEqual({
        exit: 1,
        last: `${at('record.json')}: the record holds, and it says ${verdict}: not an allow`,
      });
    }
  });

  it('that rests on a waiver is said to', async () => {
    const finding = { rule: 'a', result: 'skip', severity: 'high', object: '/Pod/shop/web', controls: [] };
    const { out } = await verify({ basis: 'waiver', findings: [{ ...finding, waiver: 'W-7' }] });
    expect(out).toContain('ok  decision: the verdict is allow, by waiver, with 1 finding\n');
  });
});

describe('the time of a record', () => {
  const bounded = { time: '2026-11-24T11:00:00.000Z', startBy: '2026-11-24T19:00:00.000Z' };
  const asked = (time: string): object => ({ argv: ['--at', time] });

  it('is compared with when the set is applied first: now, or --at', async () => {
    expect(await refusals(bounded)).toEqual({ exit: 0, no: [] });
    expect(await refusals(bounded, asked('2026-11-24T19:00:00Z'))).toEqual({ exit: 0, no: [] });
    const late = await refusals(bounded, asked('2026-11-24T19:00:01Z'));
    expect(late).toEqual({
      exit: 1,
      no: [
        'no  time: decided at 2026-11-24T11:00:00.000Z, to be applied first by 2026-11-24T19:00:00.000Z, ' +
          'too late at 2026-11-24T19:00:01.000Z (--at TIME asks of the time when it was first applied)',
      ],
    });
  });

  it('is not after it: a record was not valid before it was decided', async () => {
    expect(await refusals(bounded, asked('2026-11-24T10:50:00Z'))).toEqual({
      exit: 1,
      no: [expect.stringContaining('which is after 2026-11-24T10:50:00.000Z')],
    });
  });

  it('is that of the key too', async () => {
    const verifyAt = async (time: string): Promise<number> => {
      await verify({});
      const key = trustedKey(signer, { notBefore: '2026-11-24T10:30:00Z', notAfter: '2026-11-24T11:30:00Z' });
      writeFileSync(at('trust.json'), JSON.stringify(trustOf([key], [ledger])));
      const argv = ['verify', 'record', at('record.json'), '--trust', at('trust.json'), '--at', time];
      return (await countersign(argv)).exit;
    };
    expect(await verifyAt('2026-11-24T11:10:00Z')).toBe(0);
    expect(await verifyAt('2026-11-24T11:40:00Z')).toBe(1);
  });

  it.each(['now', '2026-02-30T00:00:00Z', '2026-11-24T12:00:00+01:00'])('%s is none', async (time) => {
    const { exit, err } = await verify({}, { argv: ['--at', time] });
    expect({ exit, err }).toEqual({
      exit: 2,
      err: `countersign: --at ${JSON.stringify(time)} is no time\nhint: such as 2026-11-24T12:00:00Z, in UTC\n`,
    });
  });
});

describe('the scope of a record', () => {
  const within = (more: object): object => ({ scope: { operations: ['CREATE'], ...more } });

  it('limits it to namespaces', async () => {
    expect(await refusals(within({ namespaces: ['shop'] }))).toEqual({ exit: 0, no: [] });
    expect(await refusals(within({ namespaces: ['shop'] }), { argv: ['--namespace', 'till'] })).toEqual({
      exit: 1,
      no: ['no  scope: limited to CREATE; namespaces "shop", not for namespace "till"'],
    });
    expect(await refusals(within({ namespaces: ['till'] }))).toEqual({
      exit: 1,
      no: [
        'no  scope: limited to CREATE; namespaces "till", and "/Pod/shop/web" is in none of these namespaces',
      ],
    });
  });

  it('limits it to clusters, one of which must be named', async () => {
    const clusters = within({ clusters: ['eu-1'] });
    expect(await refusals(clusters, { argv: ['--cluster', 'eu-1'] })).toEqual({ exit: 0, no: [] });
    for (const argv of [[], ['--cluster', 'us-1']])
      expect(await refusals(clusters, { argv })).toMatchObject({ exit: 1 });
  });
});

describe('the keys of a Project', () => {
  it('count for the environments that it states for them', async () => {
    await verify(scope('staging'));
    const key = trustedKey(signer, { environments: ['staging'] });
    const project = { apiVersion: 'countersign.dev/v1alpha1', kind: 'Project' };
    const trust = { keys: [key], logs: [ledger.trustedRoot()] };
    writeFileSync(at('project.json'), JSON.stringify({ ...project, trust }));
    const argv = ['verify', 'record', at('record.json'), '--project', at('project.json')];
    const { exit, out } = await countersign(argv);
    // It was decided under no Project at all, which this one is not.
    expect({ exit, no: out.split('\n').filter((line) => line.startsWith('no ')) }).toEqual({
      exit: 1,
      no: [expect.stringContaining('no  project: decided under no Project, not sha256:')],
    });
    await verify(scope('production'));
    expect((await countersign(argv)).out).toContain('for which key "ci" is not trusted');
  });
});

describe('the policies and the Project of a record', () => {
  it('are printed, as text and as JSON', async () => {
    const predicate = { ...scope('live'), projectDigest: { sha256: hex('3') } };
    const { exit, out } = await verify(predicate);
    expect({ exit, lines: out.split('\n').slice(2, -2) }).toEqual({
      exit: 0,
      lines: [
        'ok  decision: the verdict is allow, with no findings',
        expect.stringMatching(/^ok {2}set: 1 objects, sha256:[0-9a-f]{64}$/),
        'ok  environment: the record is for "live"',
        'ok  scope: limited to CREATE',
        'ok  time: decided at 2026-11-24T11:00:00.000Z',
        `ok  policies: evaluated "baseline" sha256:${hex('1')}`,
        `ok  project: decided under the Project sha256:${hex('3')}`,
      ],
    });
    const json = await verify(predicate, { argv: ['--format', 'json'] });
    expect(JSON.parse(json.out)).toMatchObject({
      verified: true,
      decided: {
        verdict: 'allow',
        scope: { environment: 'live' },
        projectDigest: { sha256: hex('3') },
        policies: [{ name: 'baseline', revision: '1', digest: { sha256: hex('1') } }],
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
      '|verifying … 3/5|verifying … 4/5|verifying … 5/5|verifying … 1/5|verifying … 2/5|verifying … 3/5|verifying … 4/5|verifying … 5/5|',
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
