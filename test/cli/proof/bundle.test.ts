// SPDX-License-Identifier: Apache-2.0
// `verify bundle`: what it prints, what it ends with, and what it asks for.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  ARTIFACT,
  DIGEST,
  IDENTITY,
  ISSUER,
  type Json,
  moment,
  newKey,
  newWorld,
  PREDICATE_TYPE,
  pemOf,
  SIGNED_AT,
  type World,
} from '../../attest/bundle/world.ts';
import { countersign, type Outcome } from '../world.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-proof-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const put = (name: string, content: Json): string => {
  writeFileSync(
    at(name),
    Buffer.isBuffer(content) || typeof content === 'string' ? content : JSON.stringify(content),
  );
  return at(name);
};

const key = newKey();
let world: World;
const artifact = put('web.tar', ARTIFACT);
const pem = put('key.pub', pemOf(key));
beforeAll(async () => {
  world = await newWorld();
  put('root.json', world.trustedRoot());
  put('keyless.json', await world.make());
  put('file.json', await world.make({ entries: ['hashedrekord 0.0.1'], content: { artifact: ARTIFACT } }));
  put('key.json', await world.make({ key, entries: ['hashedrekord 0.0.2'] }));
  put('unlogged.json', await world.make({ key, entries: [] }));
});

const who = ['--identity', IDENTITY, '--issuer', ISSUER];
const root = ['--trusted-root', at('root.json')];
const verify = (subject: string, bundle: string, ...argv: string[]): Promise<Outcome> =>
  countersign(['verify', 'bundle', subject, '--bundle', at(bundle), ...argv], { now: () => moment(60) });

describe('verify bundle', () => {
  it('says who signed an attestation about a file, and what it says', async () => {
    expect(await verify(artifact, 'keyless.json', ...who, ...root, '--type', PREDICATE_TYPE)).toEqual({
      exit: 0,
      out: [
        `${artifact}: verified`,
        `  subject sha256:${DIGEST}`,
        `  signed by ${IDENTITY} of ${ISSUER}`,
        `  signed at ${SIGNED_AT.toISOString()}`,
        `  says ${PREDICATE_TYPE}`,
        '',
      ].join('\n'),
      err: '',
    });
  });

  it('takes a digest for the file', async () => {
    const subject = `sha256:${DIGEST}`;
    expect((await verify(subject, 'keyless.json', ...who, ...root)).exit).toBe(0);
    expect(await verify(`sha256:${'0'.repeat(64)}`, 'keyless.json', ...who, ...root)).toEqual({
      exit: 1,
      out: `sha256:${'0'.repeat(64)}: not verified: the statement is not about sha256:${'0'.repeat(64)} [SUBJECT]\n`,
      err: '',
    });
  });

  it('verifies a signature over a file, which must be there', async () => {
    expect((await verify(artifact, 'file.json', ...who, ...root)).out).toContain(
      '\n  says nothing of the file\n',
    );
    expect(await verify(`sha256:${DIGEST}`, 'file.json', ...who, ...root)).toEqual({
      exit: 2,
      out: '',
      err: 'countersign: the bundle signs the bytes of a file, and only a digest was given\nhint: name the file itself\n',
    });
  });

  it('verifies by a key, with a log or without one', async () => {
    expect((await verify(artifact, 'key.json', '--key', pem, ...root)).out).toContain(
      '\n  signed at a time that nothing proves\n',
    );
    expect((await verify(artifact, 'unlogged.json', '--key', pem, '--no-log')).exit).toBe(0);
    expect(await verify(artifact, 'unlogged.json', '--key', pem, ...root)).toMatchObject({
      exit: 1,
      out: expect.stringMatching(/ \[LOG_PROOF\]\n$/),
    });
  });

  it('prints the claims as JSON', async () => {
    const { exit, out } = await verify(artifact, 'keyless.json', ...who, ...root, '--format', 'json');
    expect(exit).toBe(0);
    expect(JSON.parse(out)).toEqual({
      artifact,
      bundle: at('keyless.json'),
      verified: true,
      claims: [
        {
          subject: `sha256:${DIGEST}`,
          predicateType: PREDICATE_TYPE,
          predicate: { buildDefinition: { buildType: 'https://ci.example/v1' }, run: 9_007_199_254_740_992 },
          payloadDigest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
          signer: { kind: 'keyless', name: IDENTITY, issuer: ISSUER, identity: IDENTITY },
          at: SIGNED_AT.toISOString(),
        },
      ],
    });
    const refused = await verify(artifact, 'keyless.json', '--key', pem, ...root, '--format', 'json');
    expect(refused.exit).toBe(1);
    expect(JSON.parse(refused.out)).toEqual({
      artifact,
      bundle: at('keyless.json'),
      verified: false,
      code: 'SIGNER',
      message: expect.stringContaining(IDENTITY),
      claims: [],
    });
  });

  it.each<[string, readonly string[], string]>([
    ['another identity', ['--identity', `${IDENTITY}x`, '--issuer', ISSUER], 'SIGNER'],
    ['another issuer', ['--identity', IDENTITY, '--issuer', `${ISSUER}/x`], 'SIGNER'],
    ['another type', [...who, '--type', 'https://cyclonedx.org/bom'], 'PREDICATE_TYPE'],
  ])('does not verify for %s', async (_, argv, code) => {
    const { exit, out } = await verify(artifact, 'keyless.json', ...root, ...argv);
    expect({ exit, code: /\[([A-Z_]+)\]\n$/.exec(out)?.[1] }).toEqual({ exit: 1, code });
  });

  it.each<[string, Json]>([
    ['nothing', ''],
    ['no JSON', 'bundle'],
    ['another JSON', '[]'],
    [
      'an empty certificate',
      {
        mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
        verificationMaterial: { certificate: { rawBytes: '' } },
        dsseEnvelope: {},
      },
    ],
  ])('attack 18: ends with 1 where the bundle is %s', async (_, content) => {
    put('odd.json', content);
    expect(await verify(artifact, 'odd.json', ...who, ...root)).toEqual({
      exit: 1,
      out: `${artifact}: not verified: this is no Sigstore bundle v0.1, v0.2 or v0.3 [SHAPE]\n`,
      err: '',
    });
  });

  it('cannot answer without a trusted root, and says so', async () => {
    const { exit, err } = await verify(
      artifact,
      'keyless.json',
      ...who,
      '--trusted-root',
      at('nothing.json'),
    );
    expect({ exit, err }).toEqual({
      exit: 5,
      err: `countersign: cannot read ${JSON.stringify(at('nothing.json'))}: ENOENT [TRUST_UNREADABLE]\nhint: name the trusted root of the Sigstore instance\n`,
    });
    const broken = await verify(artifact, 'keyless.json', ...who, '--trusted-root', put('broken.json', '{}'));
    expect(broken).toMatchObject({ exit: 5, err: expect.stringContaining('[TRUST_SHAPE]') });
    expect(await verify(artifact, 'keyless.json', '--key', at('nothing.pem'), ...root)).toMatchObject({
      exit: 5,
    });
  });

  it('offline takes the root that came with the program, which does not know this one', async () => {
    expect(await verify(artifact, 'keyless.json', ...who, '--offline')).toMatchObject({
      exit: 1,
      out: expect.stringMatching(/ \[CERTIFICATE\]\n$/),
      err: '',
    });
  });

  it.each<[string, readonly string[], number, string]>([
    ['nobody to have signed', root, 2, 'nobody is named who must have signed'],
    ['an identity without an issuer', ['--identity', IDENTITY, ...root], 2, '--identity needs --issuer'],
    [
      'a pattern as an identity',
      ['--identity', '.*', '--issuer', ISSUER, ...root],
      2,
      'the identity ".*" is not one exact text',
    ],
    [
      'both a key and an identity',
      [...who, '--key', pem, ...root],
      2,
      '--identity and --key exclude each other',
    ],
    [
      'a root and no network',
      [...who, ...root, '--offline'],
      2,
      '--offline and --trusted-root exclude each other',
    ],
    [
      'no network for a key without a log',
      ['--key', pem, '--no-log', '--offline'],
      2,
      '--offline has no effect: a key without a log needs no trusted root',
    ],
    ['another format', [...who, ...root, '--format', 'xml'], 2, 'unknown format "xml"'],
  ])('is a matter of usage with %s', async (_, argv, exit, message) => {
    const outcome = await verify(artifact, 'keyless.json', ...argv);
    expect({ ...outcome, err: outcome.err.split('\n')[0] }).toEqual({
      exit,
      out: '',
      err: `countersign: ${message}`,
    });
  });

  it('wants one artifact and a bundle', async () => {
    const run = (...argv: string[]): Promise<Outcome> => countersign(['verify', 'bundle', ...argv]);
    expect(await run()).toMatchObject({
      exit: 2,
      err: expect.stringContaining('one artifact or digest is wanted'),
    });
    expect(await run('a', 'b')).toMatchObject({ exit: 2 });
    expect(await run(artifact, ...who)).toMatchObject({
      exit: 2,
      err: expect.stringContaining('--bundle is missing'),
    });
    expect(await run('sha256:AB', '--bundle', at('keyless.json'), ...who, ...root)).toMatchObject({
      exit: 2,
    });
    expect(await verify(at('nothing'), 'keyless.json', ...who, ...root)).toMatchObject({ exit: 3 });
    expect(await verify(artifact, 'nothing.json', ...who, ...root)).toMatchObject({ exit: 3 });
  });
});
