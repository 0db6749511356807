// SPDX-License-Identifier: Apache-2.0
// The thread that fetches: with a registry in this process, and bundles by a key.
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { openProving, type Proving } from '../../../webhook/claims/proving.ts';
import { claimScope } from '../../../webhook/claims/scope.ts';
import { moment, newKey, newWorld, PREDICATE_TYPE, pemOf, statement } from '../../attest/bundle/world.ts';
import { attachBundle, IMAGE, REPOSITORY } from '../../attest/image/shop.ts';
import { type FakeRegistry, startRegistry } from '../../attest/oci/registry.ts';

const key = newKey();
let registry: FakeRegistry;
let proving: Proving;
beforeAll(async () => {
  registry = await startRegistry();
  proving = openProving(() => moment(60));
});
afterAll(async () => {
  await proving.close();
  await registry.close();
});

const scopeOf = (publicKey: string) =>
  claimScope({
    parts: {
      trust: {
        apiVersion: 'countersign.dev/v1alpha1',
        kind: 'Trust',
        keys: [{ name: 'pipeline', uses: ['provenance'], environments: ['production'], publicKey }],
        logs: [],
      },
      environment: 'production',
      requireLog: false,
      types: [PREDICATE_TYPE],
      access: { plainHttp: true, privateHosts: [], mirrors: new Map(), certificates: new Map() },
    },
    registries: [registry.host],
    isLive: false,
    trustDigest: '1'.repeat(64),
  });
const image = () => ({ registry: registry.host, repository: REPOSITORY, digest: IMAGE });

it('tells what is proved as text, and of nothing else', async () => {
  const scope = scopeOf(pemOf(key));
  expect(await proving.prove(scope, image())).toEqual([]);
  const predicate = { buildDefinition: { buildType: 'https://ci.example/v1', externalParameters: {} } };
  const payload = statement({
    subject: [{ digest: { sha256: IMAGE.slice(7) } }],
    predicate: { ...predicate, runDetails: { builder: { id: 'https://ci.example/runner' } } },
  });
  const world = await newWorld();
  const bundle = await world.make({ key, entries: [], content: { payload } });
  attachBundle(registry, Buffer.from(JSON.stringify(bundle)));
  const texts = await proving.prove(scope, image());
  expect(texts.map((text): unknown => JSON.parse(text))).toMatchObject([
    {
      subject: IMAGE,
      predicateType: PREDICATE_TYPE,
      signer: { kind: 'key', name: 'pipeline' },
      known: true,
      normalized: { kind: 'provenance', builder: 'https://ci.example/runner' },
    },
  ]);
  expect(await proving.prove(scopeOf(pemOf(newKey())), image())).toEqual([]);
}, 60_000);

it('tells what cannot be had, with the reason', async () => {
  const scope = scopeOf(pemOf(key));
  await expect(proving.prove(scope, { ...image(), registry: 'localhost:1' })).rejects.toMatchObject({
    code: 'CLAIMS_UNAVAILABLE',
    message: expect.stringMatching(/localhost:1.*\[REGISTRY_UNAVAILABLE\]$/),
  });
  registry.override = (_, response) => {
    response.writeHead(500).end();
    return true;
  };
  await expect(proving.prove(scope, image())).rejects.toMatchObject({ code: 'CLAIMS_UNAVAILABLE' });
  registry.override = undefined;
}, 60_000);

it('takes nothing any more when it is closed', async () => {
  const other = openProving(() => moment(60));
  const waiting = other.prove(scopeOf(pemOf(key)), image());
  const lost = expect(waiting).rejects.toMatchObject({ code: 'CLAIMS_UNAVAILABLE' });
  await other.close();
  await lost;
  await expect(other.prove(scopeOf(pemOf(key)), image())).rejects.toMatchObject({
    code: 'CLAIMS_UNAVAILABLE',
  });
}, 60_000);
