// SPDX-License-Identifier: Apache-2.0
// sign and attest as they are typed, every kind of key file, and that no key and no password is ever printed.
import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, verify } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { generateKeyPair } from '../../attest/index.ts';
import { digestOf, type FakeRegistry, startRegistry } from '../attest/oci/registry.ts';
import { countersign, type Outcome } from './world.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-signing-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const put = (name: string, text: string, mode = 0o600): string => {
  writeFileSync(at(name), text);
  chmodSync(at(name), mode);
  return at(name);
};

const KEYS = 'test/attest/sign/keys';
const PASSWORD = 'correct horse TEST';
const plain = generateKeyPair();
const ed25519 = generateKeyPairSync('ed25519');
const locked = createPrivateKey(plain.privateKeyPem)
  .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: PASSWORD })
  .toString();

put('plain.pem', plain.privateKeyPem);
put('locked.pem', locked);
put('ed25519.pem', ed25519.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
put('password', `${PASSWORD}\n`);
const artefact = put('app.bin', 'an artefact\n');
const predicate = put('predicate.json', '{"n": 12345678901234567890}');
const TYPE = 'https://example.com/x/v1';
const ATTEST = ['--predicate', predicate, '--type', TYPE, '--key', at('plain.pem')] as const;

interface Bundle {
  readonly messageSignature: { readonly signature: string };
  readonly dsseEnvelope: { readonly payload: string };
  readonly verificationMaterial: { readonly tlogEntries?: readonly unknown[] };
}
const read = (text: string): Bundle => JSON.parse(text);
const statementIn = (bundle: Bundle): unknown =>
  JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString('utf8'));
const isSigned = (outcome: Outcome): boolean =>
  verify(
    'sha256',
    Buffer.from('an artefact\n'),
    createPublicKey(plain.publicKeyPem),
    Buffer.from(read(outcome.out).messageSignature.signature, 'base64'),
  );

describe('sign', () => {
  it('prints a bundle, or writes it', async () => {
    const printed = await countersign(['sign', artefact, '--key', at('plain.pem')]);
    expect(printed).toMatchObject({ exit: 0, err: '' });
    expect(isSigned(printed)).toBe(true);
    const file = at('app.sigstore.json');
    const written = await countersign(['sign', artefact, '--key', at('plain.pem'), '--bundle', file]);
    expect(written).toEqual({
      exit: 0,
      out: '',
      err: expect.stringMatching(/^note: signed .*app\.bin with SHA256:[A-Za-z0-9+/]{43}, in .*\n$/),
    });
    expect(isSigned({ ...printed, out: readFileSync(file, 'utf8') })).toBe(true);
  });

  it('takes the password of a key from a file, the environment or the terminal, in this order', async () => {
    const argv = ['sign', artefact, '--key', at('locked.pem')];
    const asked: string[] = [];
    const ask = (answer: string) => async (question: string) => {
      asked.push(question);
      return answer;
    };
    const env = { COUNTERSIGN_PASSWORD: PASSWORD };
    const wrong = { COUNTERSIGN_PASSWORD: 'wrong' };
    const byFile = [...argv, '--key-password-file', at('password')];
    expect(isSigned(await countersign(byFile, { env: wrong, askPassword: ask('wrong') }))).toBe(true);
    expect(isSigned(await countersign(argv, { env, askPassword: ask('wrong') }))).toBe(true);
    expect(asked).toEqual([]);
    expect(isSigned(await countersign(argv, { askPassword: ask(PASSWORD) }))).toBe(true);
    expect(asked).toEqual([`password of ${JSON.stringify(at('locked.pem'))}: `]);
    expect(await countersign(argv)).toMatchObject({
      exit: 5,
      err: expect.stringContaining('[KEY_PASSWORD]'),
    });
    expect(await countersign(argv, { env: wrong })).toMatchObject({
      exit: 5,
      err: expect.stringContaining('[KEY_PASSWORD]'),
    });
  });

  it('takes a key of cosign, and Ed25519', async () => {
    const env = { COUNTERSIGN_PASSWORD: 'TEST' };
    for (const name of ['cosign', 'cosign-ed25519']) {
      const { exit, out } = await countersign(['sign', artefact, '--key', `${KEYS}/${name}.key`], { env });
      const publicKey = createPublicKey(readFileSync(`${KEYS}/${name}.pub`));
      const signature = Buffer.from(read(out).messageSignature.signature, 'base64');
      const digest = name === 'cosign' ? 'sha256' : null;
      expect({ exit, holds: verify(digest, Buffer.from('an artefact\n'), publicKey, signature) }).toEqual({
        exit: 0,
        holds: true,
      });
    }
  });

  it('warns of a key, or a password, that everybody may read', async () => {
    const open = put('open.pem', locked, 0o644);
    const openPassword = put('open-password', PASSWORD, 0o604);
    const argv = ['sign', artefact, '--key', open, '--key-password-file', openPassword];
    const { exit, err } = await countersign(argv, { userId: 1000 });
    expect({ exit, err }).toEqual({
      exit: 0,
      err:
        `warning: everybody on this machine may read key ${JSON.stringify(open)} (mode 0644)\nhint: chmod 600\n` +
        `warning: everybody on this machine may read key ${JSON.stringify(openPassword)} (mode 0604)\nhint: chmod 600\n`,
    });
  });

  it('writes over a bundle and an empty file, and over nothing else', async () => {
    for (const [name, text, exit] of [
      ['old.json', '{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}', 0],
      ['empty.json', '', 0],
      ['key-by-mistake.pem', plain.privateKeyPem, 5],
    ] as const) {
      const file = put(name, text);
      expect(await countersign(['sign', artefact, '--key', at('plain.pem'), '--bundle', file])).toMatchObject(
        { exit },
      );
      if (exit !== 0) expect(readFileSync(file, 'utf8')).toBe(text);
    }
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it.each([
    [['sign'], 2, 'one file is wanted'],
    [['sign', 'a', 'b'], 2, 'one file is wanted'],
    [['sign', artefact], 2, '--key is missing'],
    [['sign', 'nothing', '--key', at('plain.pem')], 3, 'cannot read "nothing": ENOENT [INPUT_UNREADABLE]'],
    [['sign', folder, '--key', at('plain.pem')], 3, `cannot read ${JSON.stringify(folder)}: it is no file`],
    [['sign', artefact, '--key', at('nothing.pem')], 5, '[KEY_UNREADABLE]'],
    [
      ['sign', artefact, '--key', at('plain.pem'), '--key-password-file', at('password')],
      2,
      '--key-password-file has no effect: the key is not encrypted',
    ],
    [
      ['sign', artefact, '--key', 'hashivault://k', '--key-password-file', at('password')],
      2,
      '--key-password-file has no effect: a KMS asks for none',
    ],
    [
      ['sign', artefact, '--key', 'https://keys.example/k'],
      2,
      '"https://" is no KMS that is known [KMS_URI]',
    ],
  ])('%j ends with %i', async (argv, exit, message) => {
    const outcome = await countersign(argv);
    expect(outcome).toMatchObject({ exit, out: '', err: expect.stringContaining(message) });
  });
});

describe('attest', () => {
  let registry: FakeRegistry;
  const image = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: {},
      layers: [],
    }),
  );
  const digest = digestOf(image);
  beforeAll(async () => {
    registry = await startRegistry();
  });
  afterAll(() => registry.close());
  beforeEach(() => {
    registry.manifests.clear();
    registry.manifests.set('team/app:v1', image);
    registry.manifests.set(`team/app:${digest}`, image);
  });

  it('attests a file, by its digest and its name', async () => {
    const { exit, out, err } = await countersign(['attest', artefact, ...ATTEST]);
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    expect(statementIn(read(out))).toMatchObject({
      subject: [{ name: 'app.bin', digest: { sha256: hash('sha256', 'an artefact\n') } }],
      predicateType: TYPE,
    });
    expect(Buffer.from(read(out).dsseEnvelope.payload, 'base64').toString()).toContain(
      '"predicate":{"n": 12345678901234567890}}',
    );
  });

  it('attests a digest', async () => {
    const { out } = await countersign(['attest', digest, ...ATTEST]);
    expect(statementIn(read(out))).toMatchObject({ subject: [{ digest: { sha256: digest.slice(7) } }] });
  });

  it('attests an image, and attaches it', async () => {
    const name = `${registry.host}/team/app`;
    const file = at('image.json');
    const outcome = await countersign(['attest', `${name}:v1`, ...ATTEST, '--plain-http', '--bundle', file]);
    expect(outcome).toEqual({
      exit: 0,
      out: expect.stringMatching(/^localhost:\d+\/team\/app@sha256:[0-9a-f]{64}\n$/),
      err: `note: oci://${name}:v1 is ${digest} now\n`,
    });
    const attached = outcome.out.trim().split('@')[1];
    const manifest: unknown = JSON.parse(String(registry.manifests.get(`team/app:${attached}`)));
    const bundle = readFileSync(file, 'utf8').trim();
    expect(manifest).toMatchObject({
      artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      layers: [{ digest: digestOf(Buffer.from(bundle)) }],
      subject: { digest },
      annotations: {
        'dev.sigstore.bundle.content': 'dsse-envelope',
        'dev.sigstore.bundle.predicateType': TYPE,
      },
    });
    expect(statementIn(read(bundle))).toMatchObject({
      subject: [{ name, digest: { sha256: digest.slice(7) } }],
    });
  });

  it('says nothing of a tag where the digest was named', async () => {
    const argv = ['attest', `oci://${registry.host}/team/app@${digest}`, ...ATTEST, '--plain-http'];
    expect(await countersign(argv)).toMatchObject({ exit: 0, err: '' });
  });

  it('adds it to a ledger where one is named', async () => {
    const { exit, out } = await countersign(['attest', artefact, ...ATTEST, '--state', at('state')]);
    expect({ exit, entries: read(out).verificationMaterial.tlogEntries }).toEqual({
      exit: 0,
      entries: [expect.objectContaining({ logIndex: '0' })],
    });
    expect(existsSync(at('state/trusted_root.json'))).toBe(true);
    expect(statSync(at('state/ledger.key')).mode & 0o777).toBe(0o600);
  });

  it('adds nothing to a ledger that an Ed25519 key signed', async () => {
    const argv = [...ATTEST.slice(0, -1), at('ed25519.pem'), '--state', at('other-state')];
    expect(await countersign(['attest', artefact, ...argv])).toMatchObject({
      exit: 5,
      out: '',
      err: expect.stringContaining('the private key is "ed25519", not ECDSA P-256 [KEY_KIND]'),
    });
    expect(existsSync(at('other-state'))).toBe(false);
  });

  it('makes what verify bundle and verify image believe, and of another file or type do not', async () => {
    const pub = put('plain.pub', plain.publicKeyPem);
    const other = put('other.bin', 'another\n');
    const verified = ['--key', pub, '--no-log'];
    const bundle = async (file: string, name: string, ...more: string[]): Promise<number> =>
      (await countersign(['verify', 'bundle', file, '--bundle', at(name), ...verified, ...more])).exit;
    await countersign(['sign', artefact, '--key', at('plain.pem'), '--bundle', at('round.json')]);
    await countersign(['attest', artefact, ...ATTEST, '--bundle', at('round-a.json')]);
    expect([await bundle(artefact, 'round.json'), await bundle(other, 'round.json')]).toEqual([0, 1]);
    expect([
      await bundle(artefact, 'round-a.json', '--type', TYPE),
      await bundle(artefact, 'round-a.json', '--type', 'https://example.com/other'),
      await bundle(other, 'round-a.json', '--type', TYPE),
    ]).toEqual([0, 1, 1]);

    const name = `${registry.host}/team/app@${digest}`;
    await countersign(['attest', name, ...ATTEST, '--plain-http']);
    const image = async (type: string): Promise<number> =>
      (await countersign(['verify', 'image', name, ...verified, '--plain-http', '--type', type])).exit;
    expect([await image(TYPE), await image('https://example.com/other')]).toEqual([0, 1]);
  });

  it.each([
    [['attest'], 2, 'one image, file or digest is wanted'],
    [['attest', artefact], 2, '--predicate is missing'],
    [['attest', artefact, '--predicate', predicate], 2, '--type is missing'],
    [['attest', artefact, '--predicate', predicate, '--type', TYPE], 2, '--key is missing'],
    [['attest', 'app', ...ATTEST], 2, '"app" is no file that is there, and no image'],
    [['attest', './app/bin:1', ...ATTEST], 2, '"./app/bin:1" is no file that is there, and no image'],
    [['attest', 'sha256:abc', ...ATTEST], 2, '"sha256:abc" is no file that is there, and no image'],
    [['attest', 'registry.example/App', ...ATTEST], 2, '[REFERENCE_SHAPE]'],
    [['attest', 'localhost:1/app', ...ATTEST, '--plain-http'], 5, '[REGISTRY_UNAVAILABLE]'],
    [['attest', artefact, ...ATTEST, '--predicate', 'x'], 2, '--predicate is given 2 times'],
  ])('%j ends with %i', async (argv, exit, message) => {
    expect(await countersign(argv)).toMatchObject({ exit, out: '', err: expect.stringContaining(message) });
  });

  it('signs no predicate that readers would read in two ways', async () => {
    const twice = put('twice.json', '{"a":1,"a":2}');
    const argv = ['attest', artefact, '--predicate', twice, '--type', TYPE, '--key', at('plain.pem')];
    expect(await countersign(argv)).toMatchObject({
      exit: 3,
      out: '',
      err: expect.stringContaining('[PREDICATE_SHAPE]'),
    });
  });
});

describe('a password and a private key', () => {
  const secretsOf = (pem: string): string[] =>
    pem.split('\n').filter((line) => line !== '' && !line.startsWith('-----'));
  const secrets = [PASSWORD, 'wrong horse', ...secretsOf(plain.privateKeyPem), ...secretsOf(locked)];

  it('are never printed and never written, whatever happens', async () => {
    put('cut.pem', locked.slice(0, locked.length / 2));
    put('broken.pem', locked.replace(/\n(....)/, '\nAAAA'));
    put('both.pem', plain.privateKeyPem + locked);
    put('reversed.pem', plain.publicKeyPem + locked);
    const keys = ['plain.pem', 'locked.pem', 'cut.pem', 'broken.pem', 'both.pem', 'reversed.pem', 'password'];
    const pod = put('pod.yaml', 'apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: x}\n');
    const project = put(
      'leak.yaml',
      'apiVersion: countersign.dev/v1alpha1\nkind: Project\nenvironments: [{name: test, tier: testing, packs: [{name: baseline, parameters: {images.registry: {registries: [registry.shop.example, registry.k8s.io]}}}]}]\n',
    );
    const recorded = ['--project', project, '--env', 'test', '--record', at('record.json')];
    const verbs = [
      ['sign', artefact],
      ['attest', artefact, '--predicate', predicate, '--type', TYPE],
      ['attest', artefact, '--predicate', at('locked.pem'), '--type', TYPE],
      ['check', pod, ...recorded, '--state', at('leak-state')],
      ['policy', 'sign', pod, '--name', 'n', '--release', '1', '--expires', '1d'],
    ];
    let printed = '';
    for (const key of keys)
      for (const verb of verbs)
        for (const password of [PASSWORD, 'wrong horse', undefined]) {
          // A check compiles its policies before it asks for a key.
          if (verb[0] === 'check' && (key !== 'locked.pem' || password === undefined)) continue;
          const env = password === undefined ? {} : { COUNTERSIGN_PASSWORD: password };
          const { exit, out, err } = await countersign([...verb, '--key', at(key)], { env });
          expect(exit).not.toBe(70);
          printed += out + err;
        }
    const state = readdirSync(at('leak-state')).map((name) =>
      readFileSync(at(`leak-state/${name}`), 'latin1'),
    );
    const record = readFileSync(at('record.json'), 'utf8');
    expect(printed).toContain('KEY_PASSWORD');
    expect(secrets.filter((secret) => [printed, record, ...state].join('\n').includes(secret))).toEqual([]);
  }, 120_000);
});
