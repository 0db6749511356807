// SPDX-License-Identifier: Apache-2.0
// `serve`: what it prints for a cluster, and what it does with its state folder.
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { countersign } from './world.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-serve-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const leaf = (state = directory): X509Certificate =>
  new X509Certificate(
    readFileSync(join(state, 'server.pem'), 'utf8').replace(/^[\s\S]*?(?=-----BEGIN CERT)/, ''),
  );

const printed = async (...flags: string[]) => {
  const { exit, out, err } = await countersign(['serve', '--print-manifest', '--state', directory, ...flags]);
  if (exit !== 0) throw new Error(err);
  const [webhook] = parse(out).webhooks;
  return { client: webhook.clientConfig, exempt: webhook.namespaceSelector.matchExpressions[0].values };
};

describe('the printed configuration', () => {
  it('names the host of --url in the certificate, and exempts no namespace for a server outside', async () => {
    const { client, exempt } = await printed('--url', 'https://gate.example:8443');
    expect(client.url).toBe('https://gate.example:8443/v1/admit');
    expect(leaf().checkHost('gate.example')).toBe('gate.example');
    expect(exempt).toEqual(['kube-system']);
    await printed('--url', 'https://[fd00::7]:8443');
    expect(leaf().checkIP('fd00::7')).toBe('fd00::7');
  });

  it('names the service of its namespace in the certificate, and exempts that namespace', async () => {
    const { client, exempt } = await printed('--namespace', 'gate');
    expect(client.service).toMatchObject({ name: 'countersign', namespace: 'gate' });
    expect(leaf().checkHost('countersign.gate.svc')).toBe('countersign.gate.svc');
    expect(exempt).toEqual(['kube-system', 'gate']);
  });

  it('is refused with a URL that an API server would not call, and makes nothing', async () => {
    const { exit, out, err } = await countersign([
      'serve',
      '--print-manifest',
      '--state',
      directory,
      '--url',
      'http://x',
    ]);
    expect({ exit, out }).toEqual({ exit: 2, out: '' });
    expect(err).toContain('[URL_UNUSABLE]');
    expect(() => leaf()).toThrow('ENOENT');
  });
});
