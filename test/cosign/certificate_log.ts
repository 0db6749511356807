// SPDX-License-Identifier: Apache-2.0
// A certificate log on this machine: it promises to keep whatever certificate it is shown, as RFC 6962 §4.2 has it, and keeps none.
import { createPublicKey, hash, type KeyObject, sign, X509Certificate } from 'node:crypto';
import { createServer } from 'node:http';
import { readAll, readDer, type Tagged } from '../../attest/verify/bundle/der.ts';
import { sequence, tagged } from '../attest/bundle/der.ts';
import { newKey } from '../attest/bundle/world.ts';

export interface CertificateLog {
  readonly url: string;
  readonly publicKey: KeyObject;
  close(): void;
}

const POISON = '2b06010401d679020403'; // 1.3.6.1.4.1.11129.2.4.3
const EXTENSIONS = 0xa3;

const again = ({ tag, content }: Tagged): Buffer => tagged(tag, content);
const partsOf = (bytes: Uint8Array): readonly Tagged[] => readAll(bytes) ?? [];

/** What a certificate will be without the extension that makes it a mere promise of one. */
function withoutPoison(der: Uint8Array): Buffer {
  const [tbs] = partsOf(readDer(der)?.content ?? new Uint8Array());
  const parts = partsOf(tbs?.content ?? new Uint8Array()).map((part) => {
    if (part.tag !== EXTENSIONS) return again(part);
    const extensions = partsOf(readDer(part.content)?.content ?? new Uint8Array());
    const kept = extensions.filter(({ content }) => content.subarray(2, 12).toString('hex') !== POISON);
    return tagged(EXTENSIONS, sequence(...kept.map(again)));
  });
  return sequence(...parts);
}

function number(value: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64BE(BigInt(value));
  return buffer.subarray(8 - bytes);
}

/** The promise of a log, for a certificate and the one that issues it. @see RFC 6962 §3.2 */
function promise(key: KeyObject, [der, issuer]: readonly Buffer[]): object {
  if (der === undefined || issuer === undefined) throw new Error('no chain');
  const timestamp = Date.now();
  const spki = new X509Certificate(issuer).publicKey.export({ type: 'spki', format: 'der' });
  const tbs = withoutPoison(der);
  const entry = [number(1, 2), hash('sha256', spki, 'buffer'), number(tbs.length, 3), tbs];
  const signed = Buffer.concat([number(0, 2), number(timestamp, 8), ...entry, number(0, 2)]);
  const signature = sign('sha256', signed, key);
  return {
    sct_version: 0,
    id: hash('sha256', createPublicKey(key).export({ type: 'spki', format: 'der' }), 'base64'),
    timestamp,
    extensions: '',
    signature: Buffer.concat([Buffer.from([4, 3]), number(signature.length, 2), signature]).toString(
      'base64',
    ),
  };
}

export async function startCertificateLog(): Promise<CertificateLog> {
  const key = newKey();
  const server = createServer((request, response) => {
    void (async () => {
      let text = '';
      for await (const chunk of request) text += String(chunk);
      const { chain }: { chain: string[] } = JSON.parse(text);
      const answer = promise(
        key,
        chain.map((one) => Buffer.from(one, 'base64')),
      );
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  return {
    url: `http://127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}/log`,
    publicKey: createPublicKey(key),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
