// SPDX-License-Identifier: Apache-2.0
// A registry speaks https, and its certificate counts: by Node's own roots, to which a private CA can be added.
import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:https';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ensureCertificate } from '../../../webhook/index.ts';
import { place } from './place.ts';

const here = place();
let server: Server;
let target: string;
let asked = 0;

beforeAll(async () => {
  const { key, cert, caCert } = await ensureCertificate({
    directory: here.at('state'),
    names: ['localhost'],
    now: new Date(),
  });
  here.write({ 'ca.pem': caCert });
  server = createServer({ key, cert }, (_, response) => {
    asked += 1;
    response.writeHead(404).end();
  });
  await new Promise<void>((fulfil) => server.listen(0, '127.0.0.1', fulfil));
  const address = server.address();
  target = `oci://localhost:${typeof address === 'object' && address !== null ? address.port : 0}/team/policies:v1`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((fulfil) => server.close(fulfil));
  here.remove();
});

/** Node reads its roots when it starts, so this is a process of its own; the registry answers from this one. */
function pull(env: Readonly<Record<string, string>>): Promise<{ exit: number | null; text: string }> {
  const argv = ['policy', 'pull', target, '--update', '--allow-private', 'localhost'];
  const child = spawn(process.execPath, [resolve('cli/launcher.cjs'), ...argv], {
    cwd: here.at('.'),
    env: { PATH: process.env['PATH'] ?? '', HOME: here.at('.'), ...env },
  });
  let text = '';
  child.stderr.on('data', (chunk) => {
    text += String(chunk);
  });
  return new Promise((fulfil) => child.on('close', (exit) => fulfil({ exit, text })));
}

describe('a registry with a certificate of a private CA', () => {
  it('is not spoken with', async () => {
    const outcome = await pull({});
    expect(outcome).toEqual({ exit: 5, text: expect.stringContaining('[REGISTRY_UNAVAILABLE]') });
    expect(outcome.text).toContain('NODE_EXTRA_CA_CERTS');
    expect(asked).toBe(0);
  });

  it('is, once that CA is named', async () => {
    const outcome = await pull({ NODE_EXTRA_CA_CERTS: here.at('ca.pem') });
    expect(outcome).toEqual({ exit: 5, text: expect.stringContaining('[REGISTRY_REFUSED]') });
    expect(asked).toBe(1);
  });
});
