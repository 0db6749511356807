// SPDX-License-Identifier: Apache-2.0
// `verify image`, and `check` in an environment that looks for attestations: what they print and what they end with.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  IDENTITY,
  ISSUER,
  type Making,
  moment,
  newKey,
  newWorld,
  PREDICATE_TYPE,
  pemOf,
  SIGNED_AT,
  statement,
  type World,
} from '../../attest/bundle/world.ts';
import { attachBundle, attachTag, IMAGE, REPOSITORY } from '../../attest/image/shop.ts';
import { digestOf, type FakeRegistry, startRegistry } from '../../attest/oci/registry.ts';
import { projectOf, provenanceOf, SOURCE } from '../../images/checks.ts';
import { countersign, type Outcome } from '../world.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-image-'));
const at = (name: string): string => join(folder, name);
const key = newKey();
let world: World;
let registry: FakeRegistry;
let name: string;
beforeAll(async () => {
  [world, registry] = [await newWorld(), await startRegistry()];
  name = `${registry.host}/${REPOSITORY}`;
  writeFileSync(at('root.json'), JSON.stringify(world.trustedRoot()));
  writeFileSync(at('key.pub'), pemOf(key));
});
afterAll(async () => {
  await registry.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  registry.override = undefined;
  registry.manifests.clear();
  registry.blobs.clear();
});

const run = (...argv: readonly string[]): Promise<Outcome> =>
  countersign([...argv, '--plain-http'], { now: () => moment(60) });
const who = ['--identity', IDENTITY, '--issuer', ISSUER, '--trusted-root', at('root.json')];
const byKey = ['--key', at('key.pub'), '--no-log'];
const attach = async (making: Making = {}, source = SOURCE): Promise<string> => {
  const subject = [{ digest: { sha256: IMAGE.slice(7) } }];
  const payload = statement({ subject, predicate: JSON.parse(provenanceOf(source)) });
  const bundle = await world.make({ content: { payload }, ...making });
  return digestOf(attachBundle(registry, Buffer.from(JSON.stringify(bundle))));
};

describe('verify image', () => {
  it('says who attested what', async () => {
    const referrer = await attach();
    attachTag(registry, 'sbom', [{ type: 'text/spdx', bytes: Buffer.from('x') }]);
    expect(await run('verify', 'image', `${name}@${IMAGE}`, ...who)).toEqual({
      exit: 0,
      out: [
        `${name}@${IMAGE}: verified`,
        `  ok  says ${PREDICATE_TYPE}`,
        `      signed by ${IDENTITY} of ${ISSUER}, at ${SIGNED_AT.toISOString()}`,
        `      referrer ${referrer}`,
        `  no  tag ${IMAGE.replace(':', '-')}.sbom: "text/spdx" is signed by nobody`,
        '',
      ].join('\n'),
      err: '',
    });
  });

  it('says why nothing holds', async () => {
    const referrer = await attach({ key, entries: [] });
    const { exit, out } = await run(
      'verify',
      'image',
      `${name}@${IMAGE}`,
      ...byKey,
      '--type',
      'https://x.example',
    );
    expect({ exit, out }).toEqual({
      exit: 1,
      out: `${name}@${IMAGE}: not verified: nothing that is attached to it holds\n  no  referrer ${referrer}: the statement is of type "${PREDICATE_TYPE}" [PREDICATE_TYPE]\n`,
    });
  });

  it('prints claims as JSON', async () => {
    const referrer = await attach({ key, entries: [] });
    const { exit, out } = await run(
      'verify',
      'image',
      `oci://${name}@${IMAGE}`,
      ...byKey,
      '--format',
      'json',
    );
    expect({ exit, result: JSON.parse(out) }).toEqual({
      exit: 0,
      result: {
        image: `${name}@${IMAGE}`,
        verified: true,
        claims: [
          {
            subject: IMAGE,
            predicateType: PREDICATE_TYPE,
            predicate: JSON.parse(provenanceOf(SOURCE)),
            payloadDigest: expect.stringMatching(/^sha256:/),
            signer: { kind: 'key', name: at('key.pub'), keyId: expect.anything() },
            source: `referrer ${referrer}`,
          },
        ],
        refused: [],
      },
    });
  });

  it.each<[string, number, string]>([
    ['https://r.example/x', 2, 'is no image with a SHA-256'],
    [`r.example/x@sha512:${'a'.repeat(128)}`, 2, 'is no image with a SHA-256'],
    ['r.example/x@sha256:00', 2, 'is no image with a SHA-256'],
    [`localhost:1/x@${IMAGE}`, 5, '[REGISTRY_UNAVAILABLE]'],
    [`169.254.169.254/x@${IMAGE}`, 5, '[REGISTRY_ADDRESS]'],
    ['localhost:1/x:tag', 5, '[REGISTRY_UNAVAILABLE]'],
  ])('of %s ends with %i', async (image, exit, part) => {
    expect(await run('verify', 'image', image, ...byKey)).toMatchObject({
      exit,
      out: '',
      err: expect.stringContaining(part),
    });
  });

  it('wants one image, somebody, and a format that there is', async () => {
    for (const argv of [[], ['a', 'b'], [`r.example/x@${IMAGE}`, '--format', 'xml', ...byKey]])
      expect((await run('verify', 'image', ...argv)).exit).toBe(2);
    expect((await run('verify', 'image', `r.example/x@${IMAGE}`)).err).toContain('nobody is named');
  });
});

describe('check', () => {
  const pod = (image: string): string =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web', namespace: 'shop' },
      spec: { containers: [{ name: 'web', image }] },
    });
  const check = (
    image: string,
    change: (project: string) => string = (project) => project,
  ): Promise<Outcome> => {
    writeFileSync(at('project.json'), change(projectOf(registry.host, pemOf(key))));
    writeFileSync(at('pod.json'), pod(image));
    return run('check', at('pod.json'), '--project', at('project.json'), '--env', 'production');
  };

  it('allows what is proved', async () => {
    await attach({ key, entries: [] });
    expect(await check(`${name}@${IMAGE}`)).toMatchObject({ exit: 0, err: '' });
  }, 60_000);

  it('denies what is proved of another source, or by nobody who is trusted, and says why that does not count', async () => {
    await attach({ key, entries: [] }, 'https://git.example/fork');
    expect(await check(`${name}@${IMAGE}`)).toMatchObject({ exit: 1, err: '' });
    const referrer = await attach({ key: newKey(), entries: [] });
    const { exit, err } = await check(`${name}@${IMAGE}`);
    expect(exit).toBe(1);
    expect(err).toMatch(
      new RegExp(`^note: ${name}@${IMAGE}: referrer ${referrer} does not count: .+ \\[\\w+\\]\n$`),
    );
  }, 60_000);

  it('has no answer where the registry has none, and asks none that is not named', async () => {
    registry.override = (_, response) => {
      response.writeHead(500).end();
      return true;
    };
    expect(await check(`${name}@${IMAGE}`)).toMatchObject({
      exit: 5,
      out: '',
      err: expect.stringContaining('[REGISTRY_UNAVAILABLE]'),
    });
    registry.seen.length = 0;
    expect((await check(`other.example/shop/web@${IMAGE}`)).exit).toBe(1);
    expect(registry.seen).toEqual([]);
  }, 60_000);

  it('has no answer where a log is wanted and none is trusted', async () => {
    const { exit, err } = await check(`${name}@${IMAGE}`, (project) =>
      project.replace('"log":false', '"log":true'),
    );
    expect(exit).toBe(5);
    expect(err).toContain('names no trusted root [TRUST_UNREADABLE]');
  }, 60_000);
});
