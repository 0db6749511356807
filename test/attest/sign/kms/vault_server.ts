// SPDX-License-Identifier: Apache-2.0
// The part of Vault's transit API that signing needs, over http, with keys that rotate.
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { signDigest } from './digests.ts';

/** One request as the server saw it. */
export interface VaultSeen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly token: unknown;
  readonly namespace: unknown;
  readonly body: string;
}

/** A server in this process; `answer` may answer in its place. */
export interface FakeVault {
  readonly address: string;
  readonly seen: VaultSeen[];
  readonly keys: { readonly publicKey: KeyObject; readonly privateKey: KeyObject }[];
  type: string;
  answer: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  rotate(): void;
  close(): Promise<void>;
}

export const VAULT_TOKEN = 'hvs.TEST-token';

export async function startVault(): Promise<FakeVault> {
  const vault: FakeVault = {
    address: '',
    seen: [],
    keys: [],
    type: 'ecdsa-p256',
    answer: undefined,
    rotate: () => {
      vault.keys.push(generateKeyPairSync('ec', { namedCurve: 'P-256' }));
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  vault.rotate();
  const server = createServer((request, response) => void serve(vault, request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  return Object.assign(vault, {
    address: `http://127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`,
  });
}

async function serve(vault: FakeVault, request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  const { method, url, headers } = request;
  vault.seen.push({
    method,
    url,
    token: headers['x-vault-token'],
    namespace: headers['x-vault-namespace'],
    body,
  });
  if (vault.answer?.(request, response) === true) return;
  const send = (status: number, value: object): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  };
  if (headers['x-vault-token'] !== VAULT_TOKEN) send(403, { errors: ['permission denied'] });
  else if (method === 'GET' && url === '/v1/transit/keys/release') send(200, { data: describe(vault) });
  else if (method === 'POST' && url === '/v1/transit/sign/release/sha2-256')
    send(200, { data: signed(vault, JSON.parse(body)) });
  else send(404, { errors: [] });
}

const describe = ({ keys, type }: FakeVault): object => ({
  type,
  latest_version: keys.length,
  supports_signing: true,
  keys: Object.fromEntries(
    keys.map(({ publicKey }, index) => [
      String(index + 1),
      { name: 'P-256', public_key: publicKey.export({ type: 'spki', format: 'pem' }) },
    ]),
  ),
});

interface SignRequest {
  readonly input: string;
  readonly prehashed: boolean;
  readonly key_version?: number;
}

function signed({ keys }: FakeVault, { input, prehashed, key_version: version }: SignRequest): object {
  const key = keys[(version ?? keys.length) - 1]?.privateKey;
  if (key === undefined || !prehashed) return {};
  return {
    signature: `vault:v${version}:${signDigest(key, Buffer.from(input, 'base64')).toString('base64')}`,
  };
}
