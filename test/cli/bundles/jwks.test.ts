// SPDX-License-Identifier: Apache-2.0
// The keys of an issuer at a URL: https with a certificate that counts, a private address only where the Project says so.
import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:https';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ensureCertificate } from '../../../webhook/index.ts';
import {
  claimsOf,
  ISSUER,
  jwksOf,
  type ProviderKey,
  providerKey,
  sign,
} from '../../attest/tokens/provider.ts';
import { place } from './place.ts';

const here = place();
let server: Server;
let key: ProviderKey;
let token: string;
let asked = 0;

beforeAll(async () => {
  key = await providerKey('one', 'ES256');
  const now = Math.floor(Date.now() / 1_000);
  token = await sign(key, claimsOf({ iat: now, nbf: now, exp: now + 600 }));
  const {
    key: tls,
    cert,
    caCert,
  } = await ensureCertificate({
    directory: here.at('state'),
    names: ['localhost'],
    now: new Date(),
  });
  server = createServer({ key: tls, cert }, (_, response) => {
    asked += 1;
    response.end(jwksOf(key.jwk));
  });
  await new Promise<void>((fulfil) => server.listen(0, '127.0.0.1', fulfil));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const project = (jwks: string): string =>
    `apiVersion: countersign.dev/v1alpha1\nkind: Project\nissuers:\n  - {name: shop, issuer: '${ISSUER}', audience: countersign, kind: generic, jwks: {url: 'https://localhost:${port}/jwks'${jwks}}}\n`;
  here.write({
    'ca.pem': caCert,
    'open.yaml': project(', private: true'),
    'closed.yaml': project(''),
    'object.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: web}\n',
    'rule.rego': `package main\nimport rego.v1\ndeny contains "never" if input.kind == "None"\n`,
  });
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((fulfil) => server.close(fulfil));
  here.remove();
});

/** Node reads its roots when it starts, so this is a process of its own; the provider answers from this one. */
function check(
  project: string,
  env: Readonly<Record<string, string>>,
): Promise<{ exit: number | null; text: string }> {
  const argv = [
    'check',
    'object.yaml',
    '--policy',
    'rule.rego',
    '--project',
    project,
    '--id-token',
    'ID_TOKEN',
  ];
  const child = spawn(process.execPath, [resolve('cli/launcher.cjs'), ...argv], {
    cwd: here.at('.'),
    env: { PATH: process.env['PATH'] ?? '', HOME: here.at('.'), ID_TOKEN: token, ...env },
  });
  let text = '';
  child.stderr.on('data', (chunk) => {
    text += String(chunk);
  });
  return new Promise((fulfil) => child.on('close', (exit) => fulfil({ exit, text })));
}

describe('the keys of an issuer at a URL', () => {
  it('are fetched, and verify', async () => {
    expect(await check('open.yaml', { NODE_EXTRA_CA_CERTS: here.at('ca.pem') })).toEqual({
      exit: 0,
      text: '',
    });
    expect(asked).toBe(1);
  });

  it('are not fetched by a certificate of nobody, nor from a private address that nobody allowed', async () => {
    const stranger = await check('open.yaml', {});
    expect({ ...stranger, text: stranger.text.split('\n')[0] }).toEqual({
      exit: 5,
      text: expect.stringMatching(
        /^countersign: the keys of an issuer .* cannot be reached: .*\[TOKEN_KEYS\]$/,
      ),
    });
    const closed = await check('closed.yaml', { NODE_EXTRA_CA_CERTS: here.at('ca.pem') });
    expect({ ...closed, text: closed.text.split('\n')[0] }).toEqual({
      exit: 5,
      text: expect.stringMatching(
        /^countersign: the keys of an issuer .* it is a private address \[TOKEN_KEYS\]$/,
      ),
    });
    expect(asked).toBe(1);
  });
});
