// SPDX-License-Identifier: Apache-2.0
// A registry with a certificate of a private authority: believed where that authority is named for its host, and for no other.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { NetworkRules } from '../../../attest/oci/address.ts';
import { send } from '../../../attest/oci/http.ts';
import { ensureCertificate } from '../../../webhook/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-ca-'));
let server: Server;
let host: string;
let ca: string;
let otherCa: string;
beforeAll(async () => {
  const now = new Date();
  const own = await ensureCertificate({ directory: join(folder, 'a'), names: ['localhost'], now });
  otherCa = (await ensureCertificate({ directory: join(folder, 'b'), names: ['localhost'], now })).caCert;
  ca = own.caCert;
  server = createServer({ key: own.key, cert: own.cert }, (_, response) => response.end('here'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  host = `localhost:${typeof address === 'object' && address !== null ? address.port : 0}`;
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

const get = (certificates: readonly (readonly [string, string])[]) => {
  const rules: NetworkRules = {
    plainHttp: false,
    privateHosts: ['localhost'],
    certificates: new Map(certificates),
  };
  const url = new URL(`https://${host}/v2/`);
  return send({ method: 'GET', url, headers: {}, maxBytes: 100, timeoutMs: 5_000 }, rules);
};

it('is believed by the certificates that are named for its host and port', async () => {
  expect((await get([[host, ca]])).body.toString()).toBe('here');
});

it('is not believed by those of others, nor by those of another host, nor without', async () => {
  for (const certificates of [
    [[host, otherCa]],
    [['localhost', ca]],
    [['registry.example', ca]],
    [],
  ] as const)
    await expect(get(certificates)).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
});
