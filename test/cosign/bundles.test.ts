// SPDX-License-Identifier: Apache-2.0
// Bundles that stock cosign makes verify here, and ours there. COUNTERSIGN_COSIGN names the program; see cosign.test.ts.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  keylessSigner,
  keySigner,
  NO_SIGSTORE,
  type SignerPolicy,
  verifyAttestation,
} from '../../attest/index.ts';
import { bytesOf, keyed, outcome, question, trustOf } from '../attest/bundle/ask.ts';
import {
  ARTIFACT,
  DIGEST,
  IDENTITY,
  ISSUER,
  type Making,
  newKey,
  newWorld,
  PREDICATE_TYPE,
  pemOf,
} from '../attest/bundle/world.ts';
import { temporaryFolders } from '../attest/fixture.ts';
import { countersign } from '../cli/world.ts';

const cosign = process.env['COUNTERSIGN_COSIGN'] ?? '';
const folders = temporaryFolders();
afterAll(() => folders.removeAll());

(cosign === '' ? describe.skip : describe)('bundles of stock cosign', () => {
  const folder = folders.make();
  const at = (name: string): string => join(folder, name);

  function run(...argv: string[]): { status: number | null; stderr: string } {
    const { status, stderr } = spawnSync(cosign, argv, {
      encoding: 'utf8',
      cwd: folder,
      env: { PATH: process.env['PATH'] ?? '', HOME: folder, COSIGN_PASSWORD: '' },
    });
    return { status, stderr };
  }
  const unlogged = ['--use-signing-config=false', '--tlog-upload=false', '--yes'];
  const asked = (signer: SignerPolicy) => question(NO_SIGSTORE, { signers: [signer], requireLog: false });

  beforeAll(() => {
    writeFileSync(at('web.tar'), ARTIFACT);
    writeFileSync(at('other.tar'), 'another');
    writeFileSync(at('predicate.json'), '{"buildDefinition":{"buildType":"https://ci.example/v1"}}');
    expect(run('generate-key-pair')).toMatchObject({ status: 0 });
    expect(
      run('sign-blob', '--key', 'cosign.key', ...unlogged, '--bundle', 'file.json', 'web.tar'),
    ).toMatchObject({ status: 0 });
    const attest = [
      'attest-blob',
      '--key',
      'cosign.key',
      ...unlogged,
      '--predicate',
      'predicate.json',
      '--type',
      PREDICATE_TYPE,
    ];
    expect(run(...attest, '--bundle', 'attestation.json', 'web.tar')).toMatchObject({ status: 0 });
  }, 60_000);

  it('over a file verify, by the key that signed', () => {
    const bundle = readFileSync(at('file.json'));
    const signer = keySigner('cosign', readFileSync(at('cosign.pub'), 'utf8'));
    expect(outcome(bundle, asked(signer))).toBe('verified');
    expect(outcome(bundle, asked(keyed(pemOf(newKey()))))).toBe('SIGNER');
    expect(outcome(bundle, { ...asked(signer), requireLog: true })).toBe('LOG_PROOF');
  });

  it('with an attestation verify, and say what cosign says', () => {
    const signer = keySigner('cosign', readFileSync(at('cosign.pub'), 'utf8'));
    const verdict = verifyAttestation(readFileSync(at('attestation.json')), {
      ...asked(signer),
      predicateType: PREDICATE_TYPE,
    });
    expect(verdict).toMatchObject({
      verified: true,
      claim: {
        subject: `sha256:${DIGEST}`,
        predicateType: PREDICATE_TYPE,
        predicate: { buildDefinition: { buildType: 'https://ci.example/v1' } },
        signer: { kind: 'key', name: 'cosign' },
      },
    });
    expect(
      run(
        'verify-blob-attestation',
        '--key',
        'cosign.pub',
        '--bundle',
        'attestation.json',
        '--insecure-ignore-tlog',
        '--type',
        PREDICATE_TYPE,
        'web.tar',
      ).status,
    ).toBe(0);
  });

  it('verify on the command line', async () => {
    const verify = (subject: string, bundle: string) =>
      countersign([
        'verify',
        'bundle',
        subject,
        '--bundle',
        at(bundle),
        '--key',
        at('cosign.pub'),
        '--no-log',
      ]);
    expect((await verify(at('web.tar'), 'file.json')).exit).toBe(0);
    expect((await verify(at('web.tar'), 'attestation.json')).exit).toBe(0);
    expect((await verify(`sha256:${DIGEST}`, 'attestation.json')).exit).toBe(0);
    expect((await verify(at('other.tar'), 'file.json')).exit).toBe(1);
    expect((await verify(at('other.tar'), 'attestation.json')).exit).toBe(1);
  });

  it('and those of our own instance: both believe them, and neither another file', async () => {
    const world = await newWorld();
    const key = newKey();
    const bundle = await world.make({
      key,
      entries: ['hashedrekord 0.0.2'],
      content: { artifact: ARTIFACT },
    });
    writeFileSync(at('ours.json'), bytesOf(bundle));
    writeFileSync(at('ours.pub'), pemOf(key));
    writeFileSync(at('root.json'), bytesOf(world.trustedRoot()));
    const theirs = (file: string): number | null =>
      run('verify-blob', '--key', 'ours.pub', '--bundle', 'ours.json', '--trusted-root', 'root.json', file)
        .status;
    const signers = [keyed(pemOf(key))];
    expect([theirs('web.tar'), outcome(bundle, question(trustOf(world.trustedRoot()), { signers }))]).toEqual(
      [0, 'verified'],
    );
    expect(theirs('other.tar')).toBe(1);
  });

  it.each<Making>([
    { entries: ['dsse 0.0.1'] },
    { entries: ['dsse 0.0.1'], timestamps: 1 },
    { entries: ['hashedrekord 0.0.2'], timestamps: 1 },
  ])('keyless, %j: both believe our own authority, and neither another identity', async (making) => {
    const world = await newWorld();
    const bundle = await world.make(making);
    writeFileSync(at('keyless.json'), bytesOf(bundle));
    writeFileSync(at('keyless_root.json'), bytesOf(world.trustedRoot()));
    const theirs = (identity: string): number | null =>
      run(
        ...['verify-blob-attestation', '--bundle', 'keyless.json', '--trusted-root', 'keyless_root.json'],
        ...['--certificate-identity', identity, '--certificate-oidc-issuer', ISSUER],
        ...['--type', PREDICATE_TYPE, 'web.tar'],
      ).status;
    const ours = (identity: string): string => {
      const signers = [keylessSigner({ name: 'release', issuer: ISSUER, identity })];
      return outcome(bundle, question(trustOf(world.trustedRoot()), { signers }));
    };
    expect([theirs(IDENTITY), ours(IDENTITY)]).toEqual([0, 'verified']);
    expect([theirs(`${IDENTITY}x`), ours(`${IDENTITY}x`)]).toEqual([1, 'SIGNER']);
  });
});
