// SPDX-License-Identifier: Apache-2.0
// `serve`: what it prints for a cluster, and what it does with its state folder.
import { X509Certificate } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { countersign, type Outcome } from './world.ts';

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

/** A server of a Project without environments, which has nothing to compile, while `work` runs; its end is the result. */
async function serving(
  flags: readonly string[],
  work: (ask: (path: string, token?: string) => Promise<{ status: number; text: string }>) => Promise<void>,
): Promise<Outcome> {
  let stop = (): void => undefined;
  let url = '';
  const listening = new Promise<void>((resolve, reject) => {
    const ended = countersign(['serve', '--listen', '127.0.0.1:0', '--project', project(), ...flags], {
      out: (text) => {
        url = /https:\/\/\S+/.exec(text)?.[0] ?? '';
        resolve();
      },
      // The client that asks has no other clock.
      now: () => new Date(),
      onStop: (listener) => {
        stop = listener;
      },
    });
    outcome = ended;
    ended.then(({ err }) => reject(new Error(err)), reject);
  });
  await listening;
  const ca = readFileSync(join(directory, 'kept', 'ca.pem'), 'utf8');
  const ask = (path: string, token?: string): Promise<{ status: number; text: string }> =>
    new Promise((resolve, reject) => {
      const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
      get(`${url}${path}`, { ca, agent: false, headers }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      }).on('error', reject);
    });
  try {
    await work(ask);
  } finally {
    stop();
  }
  return outcome;
}
let outcome: Promise<Outcome>;

function project(): string {
  const file = join(directory, 'countersign.yaml');
  const head = 'apiVersion: countersign.dev/v1alpha1\nkind: Project\n';
  writeFileSync(file, `${head}ledger: {directory: kept}\n`);
  return file;
}

describe('a running server', () => {
  it("keeps its state in the folder of the Project's ledger, and so does the printed configuration", async () => {
    const { exit } = await serving([], async () => undefined);
    expect(exit).toBe(0);
    const ca = readFileSync(join(directory, 'kept', 'ca.pem'), 'utf8');
    expect(readdirSync(join(directory, 'kept'))).toEqual(
      expect.arrayContaining(['key.pem', 'ledger.key', 'ledger.sqlite3', 'server.pem', 'trust.json']),
    );
    const { out } = await countersign(['serve', '--print-manifest', '--project', project()]);
    const bundle = Buffer.from(parse(out).webhooks[0].clientConfig.caBundle, 'base64').toString();
    expect(ca.endsWith(bundle)).toBe(true);
  });

  it('is not ready when its ledger is gone or replaced, and ready when it is back', async () => {
    await serving([], async (ask) => {
      const file = join(directory, 'kept', 'ledger.sqlite3');
      expect(await ask('/readyz')).toEqual({ status: 200, text: '{"status":"ready"}' });
      renameSync(file, `${file}.away`);
      expect(await ask('/readyz')).toEqual({
        status: 503,
        text: '{"status":"not ready","reasons":["the ledger is gone"]}',
      });
      copyFileSync(`${file}.away`, file);
      expect((await ask('/readyz')).text).toContain('the ledger was replaced');
      renameSync(`${file}.away`, file);
      expect(await ask('/readyz')).toMatchObject({ status: 200 });
    });
  });

  it('shows metrics to the token of its file only', async () => {
    const file = join(directory, 'token');
    writeFileSync(file, 'TEST-0123456789abcdef\n');
    await serving(['--metrics-token-file', file, '--drain-delay', '0'], async (ask) => {
      expect(await ask('/metrics')).toMatchObject({ status: 403 });
      expect(await ask('/metrics', 'TEST-0123456789abcdeg')).toMatchObject({ status: 403 });
      expect(await ask('/metrics', 'TEST-0123456789abcdef')).toMatchObject({ status: 200 });
    });
  });

  it.each([
    ['an empty token', ['--metrics-token-file', 'token'], ''],
    ['a short token', ['--metrics-token-file', 'token'], 'secret'],
    ['two lines', ['--metrics-token-file', 'token'], 'TEST-0123456789abcdef\nTEST-0123456789abcdef\n'],
    ['a delay that is none', ['--drain-delay', '5s'], ''],
    ['a delay of a day', ['--drain-delay', '86400'], ''],
  ])('does not start with %s', async (_, flags, token) => {
    writeFileSync(join(directory, 'token'), token);
    mkdirSync(join(directory, 'kept'));
    const argv = flags.map((flag) => (flag === 'token' ? join(directory, 'token') : flag));
    expect(await countersign(['serve', '--project', project(), ...argv])).toMatchObject({ exit: 2, out: '' });
    expect(readdirSync(join(directory, 'kept'))).toEqual([]);
  });
});
