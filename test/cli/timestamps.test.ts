// SPDX-License-Identifier: Apache-2.0
// Checkpoints that an authority dated: asked for when they are published, kept, and verified offline.
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateKeyPair, readSigner, signStatement } from '../../attest/index.ts';
import { openState } from '../../cli/seal.ts';
import { SIGNED_AT } from '../attest/bundle/world.ts';
import { type Services, startServices } from '../attest/sign/keyless/services.ts';
import { countersign, type Outcome, worldOf } from './world.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-timestamps-'));
const at = (name: string): string => join(folder, name);
const state = at('state');
const kept = at('kept');
const signer = readSigner(generateKeyPair().privateKeyPem);
const FILES = ['ledger.key', 'ledger.sqlite3'];
let services: Services;

const now = (): Date => new Date(Math.max(SIGNED_AT.getTime(), Date.parse('2026-11-24T12:00:00Z')) + 1000);
const run = (...argv: string[]): Promise<Outcome> => countersign(argv, { now });
const publish = (directory = kept): Promise<Outcome> =>
  run('records', 'publish', '--state', state, '--to', `timestamp=${services.url}/,${directory}`);
const verify = (of = state, timestamps = kept): Promise<Outcome> =>
  run('records', 'verify', '--state', of, '--timestamps', timestamps, '--trusted-root', at('root.json'));

async function append(...ids: string[]): Promise<void> {
  const ledger = openState(state, signer, worldOf());
  for (const id of ids) {
    const predicate = { id, verdict: 'allow', time: '2026-11-24T12:00:00.000Z', scope: {} };
    const statement = {
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'set.txt', digest: { sha256: 'a'.repeat(64) } }],
      predicateType: 'https://countersign.dev/attestation/deployment-decision/v1',
      predicate,
    };
    await ledger.append(await signStatement(Buffer.from(JSON.stringify(statement)), signer), signer);
  }
  await ledger.close();
}

beforeAll(async () => {
  services = await startServices();
  writeFileSync(at('root.json'), JSON.stringify(services.root));
  await openState(state, signer, worldOf()).close();
  mkdirSync(at('blank'));
  for (const name of FILES) copyFileSync(join(state, name), join(at('blank'), name));
  await append('id-0', 'id-1', 'id-2');
});
afterAll(async () => {
  await services.close();
  rmSync(folder, { recursive: true });
});

const theOne = (): string => join(kept, readdirSync(kept)[0] ?? '');
/** The kept timestamp with something else about it, in a folder of its own. */
function altered(name: string, change: (value: Record<string, unknown>) => unknown): string {
  mkdirSync(at(name));
  writeFileSync(join(at(name), 't.json'), JSON.stringify(change(JSON.parse(readFileSync(theOne(), 'utf8')))));
  return at(name);
}

describe('a checkpoint', () => {
  it('is dated when it is published, once, and only a digest of it is sent', async () => {
    expect(await publish()).toEqual({ exit: 0, out: `ok  timestamp ${services.url}/\n`, err: '' });
    expect((await publish()).exit).toBe(0);
    expect(services.asked.map(({ path }) => path)).toEqual(['/api/v1/timestamp']);
    expect(Object.keys(services.asked[0]?.body)).toEqual(['artifactHash', 'hashAlgorithm']);
    expect(readdirSync(kept)).toEqual([expect.stringMatching(/^3-[0-9a-f]{16}\.json$/)]);
  });

  it('is said to be undated where the authority fails, and the ledger goes on', async () => {
    for (const status of [500, 400, 200]) {
      services.answer = (_, response) => {
        response.writeHead(status).end('no');
        return true;
      };
      const { exit, out } = await publish(at('none'));
      expect([exit, out.startsWith(`no  timestamp ${services.url}/: `)]).toEqual([5, true]);
    }
    services.answer = undefined;
    await append('id-3');
    expect((await run('records', 'verify', '--state', state)).exit).toBe(0);
  }, 60_000);

  it.each(['timestamp=URL', 'timestamp=https://tsa.example/,', 'timestamp=http://tsa.example/,dir'])(
    'is not published to %s',
    async (to) => {
      expect((await run('records', 'publish', '--state', state, '--to', to)).exit).toBe(2);
    },
  );
});

describe('records verify', () => {
  it('says since when its entries were there', async () => {
    const { exit, out } = await verify();
    expect([exit, out.split('\n')[0]]).toEqual([
      0,
      `ok  the first 3 entries were there at ${SIGNED_AT.toISOString()}`,
    ]);
  });

  it.each<[string, string, (value: Record<string, unknown>) => unknown]>([
    [
      'another checkpoint',
      'its checkpoint is of no log that is trusted',
      (value) => ({ ...value, checkpoint: String(value['checkpoint']).replace('\n3\n', '\n2\n') }),
    ],
    ['something more', 'this is no checkpoint with its timestamp', (value) => ({ ...value, note: '' })],
    [
      'no timestamp',
      'no authority says when it was there',
      ({ checkpoint, bundle }) => {
        const { verificationMaterial, ...rest } = Object(bundle);
        const { timestampVerificationData: _, ...material } = verificationMaterial;
        return { checkpoint, bundle: { ...rest, verificationMaterial: material } };
      },
    ],
    [
      'no bundle',
      'this is no Sigstore bundle v0.1, v0.2 or v0.3',
      ({ checkpoint }) => ({ checkpoint, bundle: null }),
    ],
  ])('refuses %s', async (name, why, change) => {
    const { exit, out } = await verify(state, altered(name.replaceAll(' ', '-'), change));
    expect([exit, out.split('\n')[0]]).toEqual([1, `no  the timestamp "t.json" does not hold: ${why}`]);
  });

  it('refuses a folder in which there is none', async () => {
    mkdirSync(at('empty'));
    const { exit, out } = await verify(state, at('empty'));
    expect([exit, out.split('\n')[0]]).toEqual([
      1,
      `no  no timestamp is kept in ${JSON.stringify(at('empty'))}`,
    ]);
    writeFileSync(join(at('empty'), 'README.md'), '');
    expect((await verify(state, at('empty'))).exit).toBe(1);
  });

  it('refuses one of an authority that the root does not name', async () => {
    const root = { ...services.root, timestampAuthorities: [] };
    writeFileSync(at('other.json'), JSON.stringify(root));
    const argv = [
      'records',
      'verify',
      '--state',
      state,
      '--timestamps',
      kept,
      '--trusted-root',
      at('other.json'),
    ];
    const { exit, out } = await run(...argv);
    expect([exit, out.includes('does not hold: ')]).toEqual([1, true]);
  });

  it('finds a ledger that was written anew under its own key', async () => {
    for (const ids of [['x'], ['x', 'y', 'z']]) {
      const other = at(`anew-${ids.length}`);
      mkdirSync(other);
      for (const name of FILES) copyFileSync(join(at('blank'), name), join(other, name));
      const ledger = openState(other, signer, worldOf());
      for (const id of ids)
        await ledger.append(await signStatement(Buffer.from(JSON.stringify({ id })), signer), signer);
      await ledger.close();
      const { exit, out } = await verify(other);
      expect([exit, out.split('\n')[0]?.replace(/"3-.*?"/, '"…"')]).toEqual([
        1,
        ids.length < 3
          ? 'no  the timestamp "…" does not hold: the ledger has 1 entries and had 3: its end was cut off'
          : 'no  the timestamp "…" does not hold: the first 3 entries are not those that were there',
      ]);
    }
  });
});

describe('verify record, of a key that has ended', () => {
  /** A record, by the checkpoint that was dated where that covers it. */
  const record = async (number: number): Promise<string> => {
    writeFileSync(at('dated.txt'), JSON.parse(readFileSync(theOne(), 'utf8')).checkpoint);
    const by = number < 3 ? ['--checkpoint', at('dated.txt')] : [];
    const { out } = await run('records', 'prove', String(number), '--state', state, ...by);
    writeFileSync(at(`${number}.json`), out);
    return at(`${number}.json`);
  };
  /** A trust file whose key ends then; the state folder's own names it without an end. */
  const ending = (end: Record<string, string>): string => {
    const trust = JSON.parse(readFileSync(join(state, 'trust.json'), 'utf8'));
    const keys = trust.keys.map((key: object) => ({ ...key, ...end }));
    writeFileSync(at('trust.json'), JSON.stringify({ ...trust, keys }));
    return at('trust.json');
  };
  const shift = (ms: number): string => new Date(SIGNED_AT.getTime() + ms).toISOString();
  const keyLine = async (
    number: number,
    end: Record<string, string>,
    timestamped = theOne(),
  ): Promise<string> => {
    const argv = ['verify', 'record', await record(number), '--trust', ending(end)];
    const { out } = await run(...argv, '--timestamped', timestamped, '--trusted-root', at('root.json'));
    return out;
  };

  it('holds what was there before its end', async () => {
    for (const end of [{ notAfter: shift(0) }, { revokedAt: shift(1) }]) {
      const out = await keyLine(1, end);
      expect(out).toContain(`ok  timestamp: the first 3 entries of the log were there at ${shift(0)}\n`);
      expect(out).not.toContain('KEY_TIME');
      expect(out).not.toMatch(/is not valid after|was revoked/);
    }
  });

  it('holds neither what came after it, nor by a timestamp from after its end', async () => {
    expect(await keyLine(3, { notAfter: shift(0) })).toMatch(/is not valid after/);
    expect(await keyLine(1, { notAfter: shift(-1) })).toMatch(/is not valid after/);
    expect(await keyLine(1, { revokedAt: shift(0) })).toMatch(/was revoked at/);
  });

  it('does not hold where the timestamp does not', async () => {
    const forged = join(
      altered('forged', (value) => ({ ...value, bundle: {} })),
      't.json',
    );
    const out = await keyLine(1, { notAfter: shift(0) }, forged);
    expect(out).toMatch(/^no {2}timestamp: /);
    expect(out).toMatch(/is not valid after/);
  });
});

describe('docs/ledger.md', () => {
  it('shows what can be run', async () => {
    const [, section = ''] = readFileSync('docs/ledger.md', 'utf8').split('## When it was there');
    const lines = /```sh\n([\s\S]+?)```/.exec(section)?.[1]?.trim().split('\n') ?? [];
    writeFileSync(at('shown.json'), (await run('records', 'prove', '1', '--state', state)).out);
    const own = (word: string): string =>
      word
        .replace('https://tsa.example/,timestamps', `${services.url}/,${kept}`)
        .replace(/^timestamps\/TIMESTAMP\.json$/, theOne())
        .replace(/^timestamps$/, kept)
        .replace('tsa-root.json', at('root.json'))
        .replace(/^record\.json$/, at('shown.json'))
        .replace('.countersign/trust.json', join(state, 'trust.json'));
    const exits = [];
    for (const line of lines) {
      const argv = line.split(' ').slice(1).map(own);
      const place = argv[0] === 'records' ? ['--state', state] : [];
      const { exit, out } = await run(...argv, ...place);
      exits.push([exit, /^(?:ok|no) {2}(?:timestamp|the first)/m.test(out)]);
    }
    // The record is none of a check, so that it is verified no further than its proof.
    expect(exits).toEqual([
      [0, true],
      [0, true],
      [1, true],
    ]);
  });
});
