// SPDX-License-Identifier: Apache-2.0
// What a certificate says of the build that signed is part of the proved signer.
import { beforeAll, describe, expect, it } from '@jest/globals';
import { readSigstoreTrust, verifyAttestation } from '../../../attest/index.ts';
import { readClaim } from '../../../engine/claims/index.ts';
import { bytesOf, question, RELEASE } from './ask.ts';
import { alternativeNames, CODE_SIGNING, extension, issuerV2, keyUsage, text } from './der.ts';
import {
  DIGEST,
  IDENTITY,
  ISSUER,
  newKey,
  newWorld,
  PREDICATE_TYPE,
  statement,
  type World,
} from './world.ts';

let world: World;
beforeAll(async () => {
  world = await newWorld();
});

const at = (arc: number, value: Uint8Array): Buffer => extension(`1.3.6.1.4.1.57264.1.${arc}`, value);
const said = (arc: number, value: string): Buffer => at(arc, text(value));

async function verdictOf(extensions: readonly Buffer[], payload = statement()) {
  const key = newKey();
  const base = [keyUsage(CODE_SIGNING), alternativeNames([0x86, IDENTITY]), issuerV2(ISSUER)];
  const certificate = world.certify(key, { extensions: [...base, ...extensions] });
  const trust = readSigstoreTrust(Buffer.from(JSON.stringify(world.trustedRoot())));
  const bundle = await world.make({ key, certificate, content: { payload } });
  return verifyAttestation(bytesOf(bundle), question(trust, { signers: [RELEASE] }));
}

async function signerOf(...extensions: readonly Buffer[]): Promise<unknown> {
  const verdict = await verdictOf(extensions);
  return verdict.verified ? verdict.claim.signer : verdict.code;
}

const WHO = { kind: 'keyless', name: 'release', issuer: ISSUER, identity: IDENTITY };
const BUILD = {
  buildSignerUri: 'https://forge.example/shop/ci/.ci/build.yml@refs/tags/v1',
  buildSignerDigest: 'a'.repeat(40),
  runnerEnvironment: 'forge-hosted',
  sourceRepositoryUri: 'https://forge.example/shop/web',
  sourceRepositoryDigest: 'b'.repeat(40),
  sourceRepositoryRef: 'refs/heads/main',
  sourceRepositoryIdentifier: '1234',
  sourceRepositoryOwnerUri: 'https://forge.example/shop',
  sourceRepositoryOwnerIdentifier: '5678',
  buildConfigUri: IDENTITY,
  buildConfigDigest: 'c'.repeat(40),
  buildTrigger: 'push',
  runInvocationUri: 'https://forge.example/shop/web/runs/1',
  sourceRepositoryVisibility: 'private',
  deploymentEnvironment: 'eu 1 – production',
};

describe('what a certificate says of its build', () => {
  it('is in the claim, each extension under its name', async () => {
    const extensions = Object.values(BUILD).map((value, index) => said(9 + index, value));
    expect(await signerOf(...extensions)).toEqual({ ...WHO, build: BUILD });
  });

  it('is absent where it says nothing, or nothing in a text', async () => {
    expect(await signerOf()).toEqual(WHO);
    expect(await signerOf(said(20, ''))).toEqual(WHO);
    expect(await signerOf(said(20, ''), said(14, 'refs/heads/main'))).toEqual({
      ...WHO,
      build: { sourceRepositoryRef: 'refs/heads/main' },
    });
  });

  it('is not what the older extensions say, which are bare bytes, nor one that nobody knows', async () => {
    expect(await signerOf(at(6, Buffer.from('refs/heads/main')), said(24, 'x'))).toEqual(WHO);
  });

  it.each([
    ['twice', [said(14, 'refs/heads/main'), said(14, 'refs/heads/evil')]],
    ['twice and the same', [said(14, 'refs/heads/main'), said(14, 'refs/heads/main')]],
    ['as bare bytes', [at(14, Buffer.from('refs/heads/main'))]],
    ['as another kind of text', [at(14, Buffer.concat([Buffer.from([0x16, 1]), Buffer.from('x')]))]],
    ['with something behind it', [at(14, Buffer.concat([text('refs/heads/main'), Buffer.from('x')]))]],
    ['with a line break', [said(14, 'refs/heads/main\n')]],
    ['with a zero byte', [said(14, 'refs/heads/main\0')]],
    ['in bytes that are no UTF-8', [at(14, Buffer.from([0x0c, 1, 0xff]))]],
    ['that turns the text around', [said(14, 'refs/heads/\u202emain')]],
  ])('proves nothing where it is there %s', async (_, extensions) => {
    expect(await signerOf(...extensions)).toBe('CERTIFICATE');
  });

  it('is seen by rules', async () => {
    const payload = statement();
    const verdict = await verdictOf([said(14, 'refs/heads/main')], payload);
    if (!verdict.verified) throw new Error(verdict.code);
    const { subject, signer, payloadDigest } = verdict.claim;
    const read = readClaim(Buffer.from(payload.toString().replace(PREDICATE_TYPE, 'https://x.example/t')), {
      subject,
      digest: payloadDigest,
      signer,
    });
    expect(read).toMatchObject({ ok: true, claim: { subject: `sha256:${DIGEST}` } });
    expect(read.ok && JSON.parse(read.claim.text).signer).toEqual({
      ...WHO,
      build: { sourceRepositoryRef: 'refs/heads/main' },
    });
  });
});
