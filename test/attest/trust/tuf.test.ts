// SPDX-License-Identifier: Apache-2.0
// The trusted root is kept fresh, by the rules of The Update Framework, and what was good last serves for a time.
import { generateKeyPairSync, hash } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AttestError, type RefreshOptions, refreshTrust } from '../../../attest/index.ts';
import { newRepository } from '../bundle/tuf.ts';
import { type Json, moment, newWorld } from '../bundle/world.ts';

let folder: string;
let repository: Awaited<ReturnType<typeof newRepository>>;
let first: string;
let second: string;
const DAY = 24 * 3_600;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-tuf-'));
  repository = await newRepository();
  writeFileSync(join(folder, 'root.json'), repository.rootOf(moment(30 * DAY)));
  const world = await newWorld();
  first = JSON.stringify(world.trustedRoot());
  second = JSON.stringify({ ...world.trustedRoot(), ctlogs: [] });
});
afterEach(async () => {
  await repository.close();
  rmSync(folder, { recursive: true });
});

const options = (changes: Partial<RefreshOptions> = {}): RefreshOptions => ({
  directory: join(folder, 'trust'),
  userId: process.getuid?.(),
  offline: false,
  now: moment(0),
  timeoutMs: 2_000,
  repository: { mirrorUrl: repository.mirrorUrl, rootFile: join(folder, 'root.json') },
  ...changes,
});
/** The folder of the mirror: by its name, and by the root that it began with. */
const place = (): string =>
  `${encodeURIComponent(repository.mirrorUrl)}@${hash('sha256', readFileSync(join(folder, 'root.json')))}`;
const publish = (trustedRoot: string, version: number, more: object = {}): void =>
  repository.publish({ trustedRoot, version, expires: moment(7 * DAY), ...more });

async function outcome(changes: Partial<RefreshOptions> = {}): Promise<string> {
  try {
    return (await refreshTrust(options(changes))).digest;
  } catch (error) {
    return error instanceof AttestError ? error.code : `not ours: ${String(error)}`;
  }
}
const digest = (text: string): string => `sha256:${hash('sha256', text)}`;

describe('the trusted root of an instance', () => {
  it('is fetched, and fetched again when there is a newer one', async () => {
    publish(first, 1);
    const trust = await refreshTrust(options());
    expect({ digest: trust.digest, expires: trust.expires }).toEqual({
      digest: digest(first),
      expires: moment(7 * DAY),
    });
    publish(second, 2);
    expect(await outcome()).toBe(digest(second));
  });

  it('that was good last serves while the mirror is down, until it would have had to confirm it', async () => {
    publish(first, 1);
    expect(await outcome()).toBe(digest(first));
    repository.setDown(true);
    expect(await outcome({ now: moment(7 * DAY - 1) })).toBe(digest(first));
    expect(await outcome({ now: moment(7 * DAY) })).toBe('TRUST_UNAVAILABLE');
  });

  it('offline is the last that was good, until the metadata that vouches for it expires, and nothing is fetched', async () => {
    expect(await outcome({ offline: true })).toBe('TRUST_UNAVAILABLE');
    publish(first, 1);
    expect(await outcome()).toBe(digest(first));
    const asked = repository.requests.length;
    publish(second, 2);
    expect(await outcome({ offline: true, now: moment(8 * DAY) })).toBe(digest(first));
    expect(await outcome({ offline: true, now: moment(30 * DAY) })).toBe('TRUST_EXPIRED');
    expect(repository.requests.length).toBe(asked);
  });

  it('of an instance that the package knows nothing of needs a root to begin with', async () => {
    publish(first, 1);
    const unknown = { mirrorUrl: repository.mirrorUrl };
    expect(await outcome({ repository: unknown })).toBe('TRUST_UNAVAILABLE');
    expect(await outcome({ repository: unknown, offline: true })).toBe('TRUST_UNAVAILABLE');
    const { timeoutMs: _, ...patient } = options();
    expect((await refreshTrust(patient)).digest).toBe(digest(first));
  });

  it('must be confirmed as soon as any of its metadata expires', async () => {
    publish(first, 1, { expires: moment(40 * DAY) });
    expect((await refreshTrust(options())).expires).toEqual(moment(30 * DAY));
  });

  it('is not kept where others can write, or own', async () => {
    publish(first, 1);
    expect(await outcome()).toBe(digest(first));
    const directory = join(folder, 'trust');
    const offline = { offline: true } as const;
    expect(await outcome({ ...offline, userId: undefined })).toBe(digest(first));
    const userId = process.getuid?.();
    if (userId === undefined) return;
    expect(await outcome({ ...offline, userId: userId + 1 })).toBe('TRUST_UNAVAILABLE');
    chmodSync(directory, 0o777);
    expect(await outcome(offline)).toBe('TRUST_UNAVAILABLE');
    chmodSync(directory, 0o755);
    expect(await outcome(offline)).toBe(digest(first));
    chmodSync(join(directory, place()), 0o720);
    expect(await outcome()).toBe('TRUST_UNAVAILABLE');
  });

  it('is not rolled back', async () => {
    publish(second, 2);
    expect(await outcome()).toBe(digest(second));
    publish(first, 1);
    expect(await outcome()).toBe(digest(second));
    expect(await outcome({ now: moment(7 * DAY) })).toBe('TRUST_UNAVAILABLE');
  });

  it('is not taken from metadata that expired, that others signed or that names other bytes', async () => {
    publish(first, 1, { expires: moment(-DAY) });
    expect(await outcome()).toBe('TRUST_UNAVAILABLE');
    publish(first, 2, { by: generateKeyPairSync('ed25519').privateKey });
    expect(await outcome()).toBe('TRUST_UNAVAILABLE');
    publish(first, 3);
    repository.replaceTarget(first, second);
    expect(await outcome()).toBe('TRUST_UNAVAILABLE');
    publish(first, 4);
    expect(await outcome()).toBe(digest(first));
  });

  it('is not replaced by one that cannot be used', async () => {
    publish(first, 1);
    expect(await outcome()).toBe(digest(first));
    const root: Json = JSON.parse(second);
    delete root.tlogs[0].publicKey.validFor.start;
    publish(JSON.stringify(root), 2);
    expect(await outcome()).toBe(digest(first));
  });

  it('attack 27: is kept in a folder of its own, whatever the mirror is called', async () => {
    publish(first, 1);
    const mirrorUrl = `${repository.mirrorUrl}/../../x%2e%2e/..`;
    await outcome({ repository: { mirrorUrl, rootFile: join(folder, 'root.json') } });
    expect(await outcome()).toBe(digest(first));
    expect(readdirSync(folder).sort()).toEqual(['root.json', 'trust']);
    expect(readdirSync(join(folder, 'trust')).every((name) => !name.includes('/'))).toBe(true);
    const own = join(folder, 'trust', place());
    if (process.platform !== 'win32') expect(statSync(own).mode & 0o777).toBe(0o700);
  });

  it('of a mirror that begins with another root is fetched anew, and not what the first one vouched for', async () => {
    publish(first, 1);
    expect(await outcome()).toBe(digest(first));
    const other = await newRepository();
    writeFileSync(join(folder, 'other.json'), other.rootOf(moment(30 * DAY)));
    await other.close();
    const began = { repository: { mirrorUrl: repository.mirrorUrl, rootFile: join(folder, 'other.json') } };
    expect([await outcome(began), await outcome({ ...began, offline: true })]).toEqual([
      'TRUST_UNAVAILABLE',
      'TRUST_UNAVAILABLE',
    ]);
    expect(await outcome({ offline: true })).toBe(digest(first));
    const missing = { repository: { mirrorUrl: repository.mirrorUrl, rootFile: join(folder, 'none.json') } };
    expect(await outcome(missing)).toBe('TRUST_UNREADABLE');
  });

  it('is not had from a folder where nothing can be written, or that somebody spoilt', async () => {
    publish(first, 1);
    expect(await outcome({ directory: join(folder, 'root.json') })).toBe('TRUST_UNAVAILABLE');
    expect(await outcome()).toBe(digest(first));
    const kept = join(folder, 'trust', place(), 'kept.json');
    for (const text of [
      '',
      '{}',
      '[]',
      '{"trustedRoot":1}',
      '{"trustedRoot":"","freshUntil":"x","validUntil":"x"}',
    ]) {
      writeFileSync(kept, text);
      expect(await outcome({ offline: true })).toBe('TRUST_UNAVAILABLE');
    }
  });

  it('of the public instance comes with the package, and expires with its metadata', async () => {
    const changes = { offline: true } as const;
    const { repository: _, ...publicly } = options(changes);
    const trust = await refreshTrust(publicly);
    expect(trust.logs.map(({ host }) => host)).toContain('rekor.sigstore.dev');
    await expect(refreshTrust({ ...publicly, now: trust.expires ?? moment(0) })).rejects.toMatchObject({
      code: 'TRUST_EXPIRED',
    });
  });
});
