// SPDX-License-Identifier: Apache-2.0
// The trusted root is kept fresh, by the rules of The Update Framework, and what was good last serves for a time.
import { generateKeyPairSync, hash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
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
  offline: false,
  now: moment(0),
  timeoutMs: 2_000,
  repository: { mirrorUrl: repository.mirrorUrl, rootFile: join(folder, 'root.json') },
  ...changes,
});
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
    const place = join(folder, 'trust', encodeURIComponent(repository.mirrorUrl));
    if (process.platform !== 'win32') expect(statSync(place).mode & 0o777).toBe(0o700);
  });

  it('is not had from a folder where nothing can be written, or that somebody spoilt', async () => {
    publish(first, 1);
    expect(await outcome({ directory: join(folder, 'root.json') })).toBe('TRUST_UNAVAILABLE');
    expect(await outcome()).toBe(digest(first));
    const kept = join(folder, 'trust', encodeURIComponent(repository.mirrorUrl), 'kept.json');
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
