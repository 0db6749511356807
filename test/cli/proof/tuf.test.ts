// SPDX-License-Identifier: Apache-2.0
// A trusted root that is fetched: for `verify bundle`, for an environment of `check` and for a server, with what a record says of it.
import { hash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { parseVerb } from '../../../cli/args.ts';
import { keepFresh } from '../../../cli/bundles/roots.ts';
import { serve } from '../../../cli/commands/serve.ts';
import { findInstallation } from '../../../cli/installation.ts';
import { loadJudge } from '../../../cli/loading/judge.ts';
import type { Checks } from '../../../cli/remote/environments.ts';
import { trustDigest } from '../../../engine/context/trust.ts';
import { EMPTY_LOCK } from '../../../engine/policy/release/index.ts';
import { readDecision } from '../../../engine/record/predicate.ts';
import { openRegoBuiltins } from '../../../engine/toolchain/builtins.ts';
import { newRepository } from '../../attest/bundle/tuf.ts';
import {
  ARTIFACT,
  IDENTITY,
  ISSUER,
  moment,
  newWorld,
  SIGNED_AT,
  statement,
  type World,
} from '../../attest/bundle/world.ts';
import { attachBundle, IMAGE, REPOSITORY } from '../../attest/image/shop.ts';
import { type FakeRegistry, startRegistry } from '../../attest/oci/registry.ts';
import { PROVENANCE, podOf, projectOf, provenanceOf, SOURCE } from '../../images/checks.ts';
import { countersign, type Outcome, worldOf } from '../world.ts';

const DAY = 24 * 3_600;
const folder = mkdtempSync(join(tmpdir(), 'countersign-tuf-cli-'));
const at = (name: string): string => join(folder, name);
let world: World;
let registry: FakeRegistry;
let repository: Awaited<ReturnType<typeof newRepository>>;
let cache: string;
let first: string;
beforeAll(async () => {
  [world, registry] = [await newWorld(), await startRegistry()];
  first = JSON.stringify(world.trustedRoot());
  writeFileSync(at('web.txt'), ARTIFACT);
  writeFileSync(at('bundle.json'), JSON.stringify(await world.make()));
});
afterAll(async () => {
  await registry.close();
  rmSync(folder, { recursive: true });
});
beforeEach(async () => {
  cache = mkdtempSync(join(tmpdir(), 'countersign-tuf-cache-'));
  repository = await newRepository();
  writeFileSync(at('tuf.json'), repository.rootOf(moment(30 * DAY)));
});
afterEach(async () => {
  await repository.close();
  rmSync(cache, { recursive: true });
});

const publish = (trustedRoot: string, version: number, days = 7): void =>
  repository.publish({ trustedRoot, version, expires: moment(days * DAY) });
const ioAt = (seconds: number) => ({ env: { COUNTERSIGN_CACHE: cache }, now: () => moment(seconds) });
const digestOf = (text: string): string => `sha256:${hash('sha256', text)}`;

describe('verify bundle with the TUF repository of a private instance', () => {
  const who = ['--identity', IDENTITY, '--issuer', ISSUER];
  const verify = (seconds: number, ...argv: readonly string[]): Promise<Outcome> =>
    countersign(['verify', 'bundle', at('web.txt'), '--bundle', at('bundle.json'), ...argv], ioAt(seconds));
  const mirror = (): readonly string[] => [
    '--tuf-mirror',
    `${repository.mirrorUrl}/`,
    '--tuf-root',
    at('tuf.json'),
  ];

  it('takes the root that it publishes, and the last good one while it is down, until that expires', async () => {
    publish(first, 1);
    expect(await verify(60, ...who, ...mirror())).toMatchObject({
      exit: 0,
      out: expect.stringContaining(': verified'),
      err: '',
    });
    repository.setDown(true);
    expect(await verify(6 * DAY, ...who, ...mirror())).toMatchObject({ exit: 0 });
    const late = await verify(7 * DAY, ...who, ...mirror());
    expect([late.exit, late.err.split('\n')[0]]).toEqual([
      5,
      `countersign: the trusted root of ${repository.mirrorUrl} cannot be had [TRUST_UNAVAILABLE]`,
    ]);
    expect(await verify(8 * DAY, ...who, ...mirror(), '--offline')).toMatchObject({ exit: 0 });
    expect(await verify(30 * DAY, ...who, ...mirror(), '--offline')).toMatchObject({
      exit: 5,
      err: expect.stringContaining('[TRUST_EXPIRED]'),
    });
  });

  it('does not verify by a root that is another one', async () => {
    publish(JSON.stringify((await newWorld()).trustedRoot()), 1);
    expect(await verify(60, ...who, ...mirror())).toMatchObject({ exit: 1 });
  });

  it.each([
    [['--tuf-root', 'x'], '--tuf-root needs --tuf-mirror'],
    [
      ['--tuf-mirror', 'https://tuf.example'],
      'nobody vouches for --tuf-mirror: its root metadata is not known',
    ],
    [
      ['--tuf-mirror', 'http://tuf.example', '--tuf-root', 'x'],
      '--tuf-mirror "http://tuf.example" is no https URL',
    ],
    [['--tuf-mirror', 'tuf', '--tuf-root', 'x'], '--tuf-mirror "tuf" is no https URL'],
    [
      ['--tuf-mirror', 'https://tuf.example', '--trusted-root', 'x'],
      '--tuf-mirror and --trusted-root exclude each other',
    ],
  ])('is a matter of usage with %j', async (argv, message) => {
    const { exit, out, err } = await verify(60, ...who, ...argv);
    expect([exit, out, err.split('\n')[0]]).toEqual([2, '', `countersign: ${message}`]);
  });
});

/** The Project of an environment that believes one identity, by this root. */
function writeProject(root: object): void {
  const project = JSON.parse(projectOf(registry.host, 'x'));
  project.environments[0].attestations = { registries: [registry.host], types: [PROVENANCE], ...root };
  const scope = { uses: ['provenance'], environments: ['production'] };
  project.trust = { identities: [{ name: 'pipeline', ...scope, issuer: ISSUER, identity: IDENTITY }] };
  writeFileSync(at('countersign.yaml'), JSON.stringify(project));
}
const trustOf = (): object => JSON.parse(readFileSync(at('countersign.yaml'), 'utf8')).trust;
const tuf = () => ({ tuf: { mirror: repository.mirrorUrl, root: 'tuf.json' } });

describe('an environment whose trusted root is fetched', () => {
  const payload = statement({
    subject: [{ digest: { sha256: IMAGE.slice(7) } }],
    predicate: JSON.parse(provenanceOf(SOURCE)),
  });
  beforeAll(async () => {
    attachBundle(registry, Buffer.from(JSON.stringify(await world.make({ content: { payload } }))));
    writeFileSync(at('pod.json'), podOf(`${registry.host}/${REPOSITORY}@${IMAGE}`));
  });
  const check = (seconds: number, ...argv: readonly string[]): Promise<Outcome> => {
    const project = ['--project', at('countersign.yaml'), '--env', 'production', '--plain-http'];
    return countersign(['check', at('pod.json'), ...project, ...argv], ioAt(seconds));
  };

  it('checks by it, and the record says by which, and what was proved', async () => {
    publish(first, 1);
    writeProject(tuf());
    await countersign(['init', at('new')], ioAt(60));
    const record = [
      '--record',
      at('record.json'),
      '--key',
      at('new/.countersign/key.pem'),
      '--state',
      at('state'),
    ];
    const { exit, err } = await check(60, ...record);
    expect([exit, err]).toEqual([0, `note: recorded allow in ${at('record.json')}\n`]);
    const bundle = JSON.parse(readFileSync(at('record.json'), 'utf8'));
    const decision = readDecision(Buffer.from(bundle.dsseEnvelope.payload, 'base64'));
    expect([decision.evidence, decision.trustDigest]).toEqual([
      [
        {
          subject: { sha256: IMAGE.slice(7) },
          predicateType: PROVENANCE,
          digest: { sha256: hash('sha256', payload) },
          signer: { kind: 'keyless', name: 'pipeline', issuer: ISSUER, identity: IDENTITY },
          at: SIGNED_AT.toISOString(),
        },
      ],
      { sha256: trustDigest({ trust: JSON.parse(JSON.stringify(trustOf())) }, digestOf(first)) },
    ]);
  }, 60_000);

  it('goes on with the last good one, and has no answer when that expires', async () => {
    publish(first, 1);
    writeProject(tuf());
    expect(await check(60)).toMatchObject({ exit: 0, err: '' });
    repository.setDown(true);
    expect(await check(6 * DAY)).toMatchObject({ exit: 0 });
    expect(await check(7 * DAY)).toMatchObject({
      exit: 5,
      err: expect.stringContaining('[TRUST_UNAVAILABLE]'),
    });
    const asked = repository.requests.length;
    writeProject({ tuf: { ...tuf().tuf, offline: true } });
    expect(await check(8 * DAY)).toMatchObject({ exit: 0 });
    expect(repository.requests.length).toBe(asked);
  }, 60_000);

  it.each([
    [{ tuf: { mirror: 'https://tuf.example' } }, 'must have property root when property mirror is present'],
    [{ tuf: { root: 'tuf.json' } }, 'must have property mirror when property root is present'],
    [{ tuf: { mirror: 'http://tuf.example', root: 'tuf.json' } }, 'must match pattern'],
    [{ tuf: { url: 'https://tuf.example' } }, 'url'],
    [{ tuf: {}, trustedRoot: 'root.json' }, 'the trusted root is named twice: as a file, and under tuf'],
  ])('is refused with %j', async (root, message) => {
    writeProject(root);
    const { exit, out, err } = await check(60);
    expect([exit, out]).toEqual([3, '']);
    expect(err).toContain(message);
  });
});

const rootIn = ({ environments }: Checks['parts']): unknown =>
  [...environments.values()].flatMap(
    ({ attestations }) => attestations?.parts.trustedRoot?.toString() ?? [],
  )[0];

describe('a server', () => {
  it('fetches roots anew, and goes on with the last good one where it cannot', async () => {
    publish(first, 1);
    writeProject(tuf());
    const installation = findInstallation();
    const given = { installation, builtins: openRegoBuiltins(installation.toolchain), notes: [] };
    const args = parseVerb(serve, ['--project', at('countersign.yaml')]);
    const { asked, refreshRoots } = await loadJudge(args, given, {
      io: worldOf(ioAt(60)),
      memory: EMPTY_LOCK,
    });
    const known = (): unknown => {
      const { parts, trustDigest: whom } = asked?.('shop') ?? {};
      return [parts?.trustedRoot?.toString(), parts?.trustedRootExpires, whom];
    };
    const trust = JSON.parse(JSON.stringify(trustOf()));
    const wanted = (root: string, days: number) => [
      root,
      moment(days * DAY).toISOString(),
      trustDigest({ trust }, digestOf(root)),
    ];
    expect(known()).toEqual(wanted(first, 7));
    expect(asked?.('other')).toBeUndefined();
    const second = JSON.stringify({ ...world.trustedRoot(), ctlogs: [] });
    publish(second, 2, 9);
    expect(known()).toEqual(wanted(first, 7));
    const handed: Checks[] = [];
    const useChecks = (checks: Checks): void => void handed.push(checks);
    await refreshRoots?.(useChecks);
    expect(known()).toEqual(wanted(second, 9));
    // Sets are checked by the same root from then on.
    expect(handed.map(({ parts }) => rootIn(parts))).toEqual([second]);
    publish(first, 1);
    await refreshRoots?.(useChecks);
    expect(known()).toEqual(wanted(second, 9));
    const broken = JSON.stringify({ ...world.trustedRoot(), tlogs: 1 });
    publish(broken, 3);
    await refreshRoots?.(useChecks);
    expect(known()).toEqual(wanted(second, 9));
  }, 60_000);

  it('does not start without one, and fetches none where that is not asked for', async () => {
    const installation = findInstallation();
    const given = { installation, builtins: openRegoBuiltins(installation.toolchain), notes: [] };
    const args = parseVerb(serve, ['--project', at('countersign.yaml')]);
    const load = () => loadJudge(args, given, { io: worldOf(ioAt(60)), memory: EMPTY_LOCK });
    writeProject(tuf());
    repository.setDown(true);
    await expect(load()).rejects.toMatchObject({ code: 'TRUST_UNAVAILABLE' });
    writeProject({ tuf: { offline: true } });
    const { refreshRoots, asked } = await load();
    expect([refreshRoots, asked?.('shop')?.parts.trustedRoot === undefined]).toEqual([undefined, false]);
  }, 60_000);

  it('says that it cannot have a root, tries again, and ends with the server', async () => {
    const said: string[] = [];
    let calls = 0;
    let stop: () => void = () => undefined;
    await new Promise<void>((resolve) => {
      const refresh = async (): Promise<void> => {
        calls += 1;
        if (calls < 3) throw Object.assign(new Error('gone'), { code: 'TRUST_UNAVAILABLE' });
        resolve();
      };
      stop = keepFresh(refresh, worldOf({ err: (text) => said.push(text) }), { everyMs: 1, retryMs: 1 });
    });
    stop();
    const after = calls;
    await new Promise((wait) => setTimeout(wait, 20));
    expect([said, calls]).toEqual([
      Array(2).fill('note: gone [TRUST_UNAVAILABLE]; the last good trusted root serves until it expires\n'),
      after,
    ]);
  });
});
