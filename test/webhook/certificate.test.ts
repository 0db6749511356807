// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ensureCertificate } from '../../webhook/certificate.ts';
import { WebhookError } from '../../webhook/error.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const now = new Date('2026-11-24T12:00:00Z');
const later = (days: number): Date => new Date(now.getTime() + days * DAY_MS);

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-certificate-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const load = (at = now, hosts: readonly string[] = ['countersign.countersign.svc']) =>
  ensureCertificate({ directory, names: hosts, now: at });

describe('a new state folder', () => {
  it('gets a CA for ten years and a server certificate for one', async () => {
    const made = await load();
    const ca = new X509Certificate(made.caCert);
    const leaf = new X509Certificate(made.cert);
    expect(ca.ca).toBe(true);
    expect(leaf.ca).toBe(false);
    expect(ca.verify(ca.publicKey)).toBe(true);
    expect(leaf.verify(ca.publicKey)).toBe(true);
    expect(leaf.checkIssued(ca)).toBe(true);
    expect(leaf.subjectAltName).toBe(
      'IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:countersign.countersign.svc, DNS:localhost',
    );
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(leaf.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    expect(leaf.validFromDate).toEqual(new Date('2026-11-24T11:00:00Z'));
    expect(made.notAfter).toEqual(later(365));
    expect(ca.validToDate).toEqual(later(3652));
    expect(made.caReplaced).toBe(false);
  });

  it('keeps keys readable by their owner only', async () => {
    await load();
    expect(['ca.pem', 'server.pem'].map((file) => statSync(join(directory, file)).mode & 0o777)).toEqual([
      0o600, 0o600,
    ]);
  });

  it('has one CA when two processes start at once', async () => {
    const [a, b] = await Promise.all([load(), load()]);
    expect(a.caCert).toBe(b.caCert);
  });
});

describe('a state folder in use', () => {
  it('gives the same certificate while it is valid and covers the hosts', async () => {
    const first = await load();
    expect(await load(later(334))).toEqual(first);
  });

  it('renews the leaf under the same CA when fewer than 30 days remain', async () => {
    const first = await load();
    const second = await load(later(336));
    expect(second.caCert).toBe(first.caCert);
    expect(second.cert).not.toBe(first.cert);
    expect(second.notAfter).toEqual(later(336 + 365));
  });

  it('renews the leaf for a new name or address', async () => {
    await load();
    const leaf = new X509Certificate(
      (await load(now, ['webhook.example.org', '[fd00::1:2]', '0.0.0.0'])).cert,
    );
    expect(leaf.checkHost('webhook.example.org')).toBe('webhook.example.org');
    expect(leaf.checkIP('fd00::1:2')).toBe('fd00::1:2');
    expect(leaf.checkIP('0.0.0.0')).toBeUndefined();
  });

  it('replaces a CA that is about to end and says so', async () => {
    const first = await load();
    const second = await load(later(3630));
    expect(second.caReplaced).toBe(true);
    expect(second.caCert).not.toBe(first.caCert);
    expect(new X509Certificate(second.cert).verify(new X509Certificate(second.caCert).publicKey)).toBe(true);
  });

  it('keeps the names that it was once made for, also when it is renewed', async () => {
    const made = await load(now, ['gate.example', '[fd00::1:2]', '192.0.2.7']);
    expect(await load(now, [])).toEqual(made);
    const renewed = new X509Certificate((await load(later(336), [])).cert);
    expect(renewed.subjectAltName).toBe(new X509Certificate(made.cert).subjectAltName);
    expect(renewed.checkHost('gate.example')).toBe('gate.example');
    expect(renewed.checkIP('fd00::1:2')).toBe('fd00::1:2');
    expect(renewed.checkIP('192.0.2.7')).toBe('192.0.2.7');
  });

  it('keeps both when the clock is set back, and says that it is behind', async () => {
    const first = await load();
    const back = await load(new Date(now.getTime() - 2 * 60 * 60 * 1000));
    expect(back).toEqual({ ...first, clockBehind: true });
    expect(first.clockBehind).toBe(false);
    expect(await load()).toEqual(first);
  });

  it('keeps the CA that it replaces, mode included', async () => {
    const before = await load().then(() => readFileSync(join(directory, 'ca.pem'), 'utf8'));
    await load(later(3630));
    expect(readFileSync(join(directory, 'ca.pem.old'), 'utf8')).toBe(before);
    expect(statSync(join(directory, 'ca.pem.old')).mode & 0o777).toBe(0o600);
  });

  it('replaces a leaf of another CA', async () => {
    const first = await load();
    rmSync(join(directory, 'ca.pem'));
    const second = await load();
    expect(second.caCert).not.toBe(first.caCert);
    expect(new X509Certificate(second.cert).verify(new X509Certificate(second.caCert).publicKey)).toBe(true);
  });
});

describe('a state folder that cannot be used', () => {
  it.each([
    ['an empty file', ''],
    ['a certificate without its key', 'certificate'],
  ])('refuses %s instead of replacing the CA in silence', async (_, content) => {
    await load();
    const file = join(directory, 'ca.pem');
    const pem = readFileSync(file, 'utf8');
    const damaged = content === '' ? '' : pem.slice(pem.indexOf('-----BEGIN CERTIFICATE'));
    writeFileSync(file, damaged);
    const error = await load().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(WebhookError);
    expect(error).toMatchObject({
      code: 'STATE_UNUSABLE',
      message: `${JSON.stringify(file)} does not hold a key and its certificate`,
    });
    expect(readFileSync(file, 'utf8')).toBe(damaged);
  });

  it('refuses a path that is no folder', async () => {
    const file = join(directory, 'file');
    writeFileSync(file, '');
    const error = await ensureCertificate({ directory: file, names: [], now }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: 'STATE_UNUSABLE' });
  });

  it('refuses a host that is no name', async () => {
    const error = await load(now, ['not a host']).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'HOST_NAME',
      message: '"not a host" is neither a host name nor an IP address',
    });
  });
});
