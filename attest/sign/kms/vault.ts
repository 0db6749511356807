// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { getCACertificates } from 'node:tls';
import { decodeBase64 } from '../../base64.ts';
import { AttestError } from '../../error.ts';
import { parseStrict } from '../../json.ts';
import { badUri, type KmsEnvironment, type RemoteKey, refused, textIn, unavailable } from './remote.ts';

const KMS = 'Vault';
const TIMEOUT_MS = 10_000;
const MAX_BYTES = 1024 * 1024;

interface Vault {
  readonly address: URL;
  readonly token: string;
  readonly namespace: string | undefined;
  readonly ca: readonly string[] | undefined;
}

/**
 * Opens `hashivault://KEY`, an `ecdsa-p256` key of the transit engine (HashiCorp Vault, OpenBao). `VAULT_ADDR` and `VAULT_TOKEN` name
 * the server and who asks, `VAULT_NAMESPACE`, `VAULT_CACERT` and `TRANSIT_SECRET_ENGINE_PATH` are as Vault and cosign have them.
 * @throws {AttestError} KMS_URI | KMS_REFUSED | KMS_UNAVAILABLE
 * @see https://developer.hashicorp.com/vault/api-docs/secret/transit
 */
export async function openVault(uri: string, env: KmsEnvironment): Promise<RemoteKey> {
  const name = /^hashivault:\/\/([A-Za-z0-9][A-Za-z0-9_.-]{0,127})$/.exec(uri)?.[1];
  if (name === undefined) throw badUri(uri, 'hashivault://countersign, with VAULT_ADDR and VAULT_TOKEN set');
  const vault = vaultOf(env);
  const engine = (env['TRANSIT_SECRET_ENGINE_PATH'] ?? 'transit').replace(/^\/+|\/+$/g, '');
  const key = await ask(vault, 'GET', `${engine}/keys/${name}`);
  const version = Reflect.get(Object(key), 'latest_version');
  const publicKeyPem = textIn(
    Reflect.get(Object(Reflect.get(Object(key), 'keys')), String(version)),
    'public_key',
  );
  const type = textIn(key, 'type');
  if (type !== 'ecdsa-p256' || publicKeyPem === undefined)
    throw refused(
      KMS,
      `key ${JSON.stringify(name)} is of type ${JSON.stringify(type ?? '')}, not ecdsa-p256`,
    );
  return {
    publicKeyPem,
    sign: async (digest) => {
      const signed = await ask(vault, 'POST', `${engine}/sign/${name}/sha2-256`, {
        input: digest.toString('base64'),
        prehashed: true,
        marshaling_algorithm: 'asn1',
        // The version that was read: after a rotation the newest would sign, and nobody here knows that key.
        key_version: version,
      });
      const base64 = /^vault:v\d+:(.+)$/.exec(textIn(signed, 'signature') ?? '')?.[1];
      const signature = base64 === undefined ? undefined : decodeBase64(base64);
      if (signature === undefined) throw refused(KMS, 'it gives no signature');
      return signature;
    },
  };
}

function vaultOf(env: KmsEnvironment): Vault {
  const [stated, token, caFile] = [env['VAULT_ADDR'], env['VAULT_TOKEN'], env['VAULT_CACERT']];
  if (stated === undefined || !URL.canParse(stated) || token === undefined || !/^[\x21-\x7e]+$/.test(token))
    throw new AttestError('KMS_UNAVAILABLE', 'a key in Vault needs VAULT_ADDR and VAULT_TOKEN', {
      hint: 'such as VAULT_ADDR=https://vault.example:8200',
    });
  const address = new URL(stated);
  const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(address.hostname);
  // The token is worth as much as the key.
  if (address.protocol !== 'https:' && !(address.protocol === 'http:' && isHere))
    throw new AttestError('KMS_UNAVAILABLE', `VAULT_ADDR ${JSON.stringify(address.origin)} is not https`, {
      hint: 'http is spoken with this machine only',
    });
  const ca =
    caFile === undefined || caFile === '' ? undefined : [...getCACertificates('default'), readCa(caFile)];
  return { address, token, namespace: env['VAULT_NAMESPACE'] || undefined, ca };
}

function readCa(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw unavailable(KMS, `VAULT_CACERT ${JSON.stringify(file)} cannot be read`, cause);
  }
}

/** One call; the `data` of its answer. Redirects are not followed: the token goes to the address that was named. */
async function ask(vault: Vault, method: 'GET' | 'POST', path: string, body?: object): Promise<unknown> {
  const { status, bytes } = await send(vault, { method, path, text: JSON.stringify(body) });
  if (status >= 300 && status < 400) throw refused(KMS, `it sends us elsewhere (HTTP ${status})`);
  if (status >= 400 && status < 500 && status !== 429) throw refused(KMS, `HTTP ${status}`);
  const data: unknown = status === 200 ? Reflect.get(Object(parseStrict(bytes)?.value), 'data') : undefined;
  if (typeof data !== 'object' || data === null)
    throw unavailable(KMS, status === 200 ? 'its answer is none of the transit engine' : `HTTP ${status}`);
  return data;
}

interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly text: string | undefined;
}

function send(
  { address, token, namespace, ca }: Vault,
  { method, path, text }: Call,
): Promise<{ readonly status: number; readonly bytes: Buffer }> {
  const url = new URL(`${address.pathname.replace(/\/+$/, '')}/v1/${path}`, address);
  const headers = {
    'x-vault-token': token,
    'x-vault-request': 'true',
    ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }),
    ...(text === undefined ? {} : { 'content-type': 'application/json' }),
  };
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const options = { method, headers, signal, agent: false, ...(ca === undefined ? {} : { ca: [...ca] }) };
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => {
      sent.destroy();
      const why = textIn(cause, 'code') ?? textIn(cause, 'message') ?? 'unknown';
      reject(cause instanceof AttestError ? cause : unavailable(KMS, why));
    };
    const sent = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, options, (response) => {
      collect(response).then((bytes) => resolve({ status: response.statusCode ?? 0, bytes }), fail);
    });
    sent.on('error', fail);
    sent.end(text);
  });
}

async function collect(response: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    const bytes = chunk instanceof Uint8Array ? Buffer.from(chunk) : Buffer.alloc(0);
    size += bytes.length;
    if (size > MAX_BYTES) throw unavailable(KMS, `it answers with more than ${MAX_BYTES} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
