// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  COSIGN_SIGN,
  type ImageQuestion,
  openProver,
  proveImage,
  resolveImage,
} from '../../../attest/image/index.ts';
import { keylessSigner, keySigner, NO_SIGSTORE, readSigstoreTrust } from '../../../attest/index.ts';
import { parseOciReference } from '../../../attest/oci/index.ts';
import {
  IDENTITY,
  ISSUER,
  type Json,
  type Making,
  moment,
  newKey,
  newWorld,
  PREDICATE_TYPE,
  pemOf,
  statement,
  type World,
} from '../bundle/world.ts';
import { digestOf, type FakeRegistry, startRegistry } from '../oci/registry.ts';
import { annotationsOf, envelopeOf, payloadOf, signatureOf } from './cosign.ts';
import { ACCESS, attachBundle, attachTag, ENVELOPE_TYPE, IMAGE, REPOSITORY, SIMPLE_TYPE } from './shop.ts';

const key = newKey();
let world: World;
let registry: FakeRegistry;
beforeAll(async () => {
  [world, registry] = [await newWorld(), await startRegistry()];
});
afterAll(() => registry.close());
beforeEach(() => {
  registry.override = undefined;
  registry.manifests.clear();
  registry.blobs.clear();
});

const about = (digest: string, changes: object = {}): Buffer =>
  statement({ subject: [{ name: 'web', digest: { sha256: digest.slice(7) } }], predicate: {}, ...changes });
const prove = (question: Partial<ImageQuestion> = {}) =>
  proveImage(
    { registry: registry.host, repository: REPOSITORY, digest: IMAGE },
    {
      trust: readSigstoreTrust(Buffer.from(JSON.stringify(world.trustedRoot()))),
      signers: [keylessSigner({ name: 'pipeline', issuer: ISSUER, identity: IDENTITY })],
      requireLog: true,
      now: moment(60),
      ...question,
    },
    ACCESS,
  );
const byKey: Partial<ImageQuestion> = {
  trust: NO_SIGSTORE,
  signers: [keySigner('k', pemOf(key))],
  requireLog: false,
};
const said = async (question: Partial<ImageQuestion> = {}): Promise<Json> => {
  const { claims, refused } = await prove(question);
  return {
    types: claims.map(({ predicateType }) => predicateType),
    refused: refused.map(({ code }) => code),
  };
};
const PROVED = { types: [PREDICATE_TYPE], refused: [] };
const SIGNED = { types: [COSIGN_SIGN], refused: [] };
const refusedAs = (code: string): Json => ({ types: [], refused: [code] });

const attachEnvelope = async (
  making: Making,
  change: (bundle: Json) => void = () => undefined,
): Promise<void> => {
  const bundle = await world.make({ version: '0.1', content: { payload: about(IMAGE) }, ...making });
  change(bundle);
  attachTag(registry, 'att', [
    { type: ENVELOPE_TYPE, bytes: envelopeOf(bundle), annotations: annotationsOf(bundle) },
  ]);
};
const sign = (artifact: Buffer, making: Making = {}): Promise<Json> =>
  world.make({ version: '0.1', entries: ['hashedrekord 0.0.1'], ...making, content: { artifact } });
const attachSignature = (payload: Buffer, bundle: Json): void =>
  attachTag(registry, 'sig', [{ type: SIMPLE_TYPE, bytes: payload, annotations: signatureOf(bundle) }]);

describe('a bundle that refers to an image', () => {
  const attach = async (making: Making): Promise<void> => {
    attachBundle(registry, Buffer.from(JSON.stringify(await world.make(making))));
  };

  it('is a claim about its digest', async () => {
    await attach({ content: { payload: about(IMAGE) } });
    const { claims, refused } = await prove();
    expect(refused).toEqual([]);
    expect(claims).toMatchObject([
      {
        subject: IMAGE,
        predicateType: PREDICATE_TYPE,
        signer: { kind: 'keyless', name: 'pipeline', issuer: ISSUER, identity: IDENTITY },
        source: expect.stringMatching(/^referrer sha256:/),
      },
    ]);
  });

  it('about another image is none, wherever it is attached', async () => {
    await attach({ content: { payload: about(`sha256:${'b'.repeat(64)}`) } });
    expect(await said()).toEqual(refusedAs('SUBJECT'));
  });

  it('of another type, or by somebody else, is none', async () => {
    await attach({ content: { payload: about(IMAGE) } });
    expect(await said({ types: [PREDICATE_TYPE] })).toEqual(PROVED);
    expect(await said({ types: [COSIGN_SIGN] })).toEqual(refusedAs('PREDICATE_TYPE'));
    const signers = [keylessSigner({ name: 'p', issuer: ISSUER, identity: `${IDENTITY}-evil` })];
    expect(await said({ signers })).toEqual(refusedAs('SIGNER'));
    expect((await said({ signers: [] })).types).toEqual([]);
  });

  it('that signs bytes says nothing of an image', async () => {
    await attach({ content: { artifact: Buffer.from('x') } });
    expect(await said()).toEqual(refusedAs('ARTIFACT'));
  });
});

describe("an attestation under cosign's tag", () => {
  it('holds by its certificate and the promise of the log', async () => {
    await attachEnvelope({ entries: ['dsse 0.0.1'] });
    expect(await said()).toEqual(PROVED);
    await attachEnvelope({ entries: ['intoto 0.0.2'] });
    expect(await said()).toEqual(PROVED);
  });

  it('holds by its timestamp, where no log is asked for', async () => {
    await attachEnvelope({ entries: [], timestamps: 1 });
    expect(await said({ requireLog: false })).toEqual(PROVED);
    expect((await said()).types).toEqual([]);
  });

  it('holds by a key', async () => {
    await attachEnvelope({ key, entries: [] });
    expect(await said(byKey)).toEqual(PROVED);
    expect((await said({ ...byKey, signers: [keySigner('k', pemOf(newKey()))] })).types).toEqual([]);
  });

  it('does not hold without the log, with the entry of another, or with another time', async () => {
    await attachEnvelope({ entries: [] });
    expect((await said()).types).toEqual([]);
    const other = await world.make({ version: '0.1', content: { payload: about(IMAGE) } });
    await attachEnvelope({}, (bundle) => {
      bundle.verificationMaterial.tlogEntries = other.verificationMaterial.tlogEntries;
    });
    expect((await said()).types).toEqual([]);
    await attachEnvelope({}, (bundle) => {
      bundle.verificationMaterial.tlogEntries[0].integratedTime = '1';
    });
    expect((await said()).types).toEqual([]);
  });

  it('does not hold where a byte of it is another', async () => {
    await attachEnvelope({}, (bundle) => {
      bundle.dsseEnvelope.payload = Buffer.from(about(IMAGE, { predicate: { a: 1 } })).toString('base64');
    });
    expect((await said()).types).toEqual([]);
  });

  it('does not hold with two signatures: which of them counts?', async () => {
    const bundle = await world.make({ key, version: '0.1', entries: [], content: { payload: about(IMAGE) } });
    bundle.dsseEnvelope.signatures.push({ sig: 'AAAA' });
    attachTag(registry, 'att', [{ type: ENVELOPE_TYPE, bytes: envelopeOf(bundle) }]);
    expect(await prove(byKey)).toMatchObject({
      claims: [],
      refused: [{ reason: 'its signature is malformed' }],
    });
  });
});

describe("a signature under cosign's tag", () => {
  it('is a claim that the image is signed, about the digest in its payload', async () => {
    const payload = payloadOf(IMAGE);
    attachSignature(payload, await sign(payload));
    expect(await said()).toEqual(SIGNED);
    expect(await said({ types: [PREDICATE_TYPE] })).toEqual(refusedAs('PREDICATE_TYPE'));
    attachSignature(payload, await sign(payload, { key, entries: [] }));
    expect(await said(byKey)).toEqual(SIGNED);
    const [claim] = (await prove(byKey)).claims;
    expect(claim).toMatchObject({ subject: IMAGE, predicate: {}, signer: { kind: 'key', name: 'k' } });
  });

  it('about another image is none, though it is attached to this one', async () => {
    const payload = payloadOf(`sha256:${'b'.repeat(64)}`);
    attachSignature(payload, await sign(payload));
    expect(await said()).toEqual(refusedAs('SUBJECT'));
  });

  it.each<[string, Buffer]>([
    ['of another type', payloadOf(IMAGE, { type: 'atomic container signature' })],
    ['with something critical that is not known', payloadOf(IMAGE, { only: 'in testing' })],
    ['with a digest that is none', payloadOf('sha256:x')],
    ['that is no JSON', Buffer.from('x')],
    [
      'with a digest twice',
      Buffer.from(payloadOf(IMAGE).toString().replace('"image":{', '"image":{"docker-manifest-digest":"x",')),
    ],
  ])('over a payload %s is none', async (_, payload) => {
    attachSignature(payload, await sign(payload));
    expect(await said()).toEqual(refusedAs('STATEMENT'));
  });

  it('over another payload than the one beside it is none', async () => {
    attachSignature(payloadOf(IMAGE), await sign(payloadOf(`sha256:${'b'.repeat(64)}`)));
    expect((await said()).types).toEqual([]);
  });

  it.each<[string, Record<string, string>]>([
    ['no signature', {}],
    ['no base64', { 'dev.cosignproject.cosign/signature': '!' }],
    ['a certificate that is none', { 'dev.sigstore.cosign/certificate': 'x' }],
    ['a promise that is no JSON', { 'dev.sigstore.cosign/bundle': '{' }],
    ['a promise of nothing', { 'dev.sigstore.cosign/bundle': '{}' }],
    ['a timestamp that is none', { 'dev.sigstore.cosign/rfc3161timestamp': '{}' }],
  ])('with %s is useless', async (_, annotations) => {
    const payload = payloadOf(IMAGE);
    const good = _ === 'no signature' ? {} : { 'dev.cosignproject.cosign/signature': 'AAAA' };
    attachTag(registry, 'sig', [
      { type: SIMPLE_TYPE, bytes: payload, annotations: { ...good, ...annotations } },
    ]);
    expect((await prove(byKey)).refused).toMatchObject([{ reason: 'its signature is malformed' }]);
  });
});

describe('the prover of an environment', () => {
  const parts = (changes: object = {}) => ({
    trust: {
      apiVersion: 'countersign.dev/v1alpha1',
      kind: 'Trust',
      keys: [
        {
          name: 'pipeline',
          uses: ['provenance'],
          environments: ['production'],
          publicKey: pemOf(key),
          ...changes,
        },
      ],
      logs: [],
    },
    environment: 'production',
    requireLog: false,
    types: [PREDICATE_TYPE],
    access: { plainHttp: true, privateHosts: [] },
  });
  const ask = async (changes: object = {}): Promise<number> => {
    await attachEnvelope({ key, entries: [] });
    const image = { registry: registry.host, repository: REPOSITORY, digest: IMAGE };
    const facts = { now: moment(60), signal: AbortSignal.timeout(10_000) };
    return (await openProver(parts(changes)).prove(image, facts)).claims.length;
  };

  it('believes who is trusted for provenance there, and nobody else', async () => {
    expect(await ask()).toBe(1);
    expect(await ask({ environments: ['*'] })).toBe(1);
    expect(await ask({ environments: ['staging'] })).toBe(0);
    expect(await ask({ uses: ['record', 'approval', 'policy'] })).toBe(0);
    expect(await ask({ publicKey: pemOf(newKey()) })).toBe(0);
  });
});

describe('a tag', () => {
  const reference = () => parseOciReference(`oci://${registry.host}/${REPOSITORY}:v1`);

  it('stands for the digest of what is read, whatever the registry states', async () => {
    const manifest = Buffer.from('{"mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []}');
    registry.override = (_, response) => {
      response.writeHead(200, { 'docker-content-digest': IMAGE }).end(manifest);
      return true;
    };
    expect(await resolveImage(reference(), ACCESS)).toMatchObject({ digest: digestOf(manifest) });
  });

  it('that is not there, or is no image, is an error', async () => {
    await expect(resolveImage(reference(), ACCESS)).rejects.toMatchObject({ code: 'REGISTRY_REFUSED' });
    registry.manifests.set(`${REPOSITORY}:v1`, Buffer.from('{}'));
    await expect(resolveImage(reference(), ACCESS)).rejects.toMatchObject({ code: 'REGISTRY_CONTENT' });
  });
});
