// SPDX-License-Identifier: Apache-2.0
// A Sigstore instance on this machine that speaks the APIs of Fulcio, Rekor v1 and v2 and a timestamp authority, over the instance of
// test/attest/bundle, whose root our own verifier is given.
import { createPublicKey, generateKeyPairSync, hash, X509Certificate } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { initializeTSA, tsaHandler } from '@sigstore/mock';
import { preAuthEncoding } from '../../../../attest/sign/index.ts';
import {
  type Content,
  type EntryName,
  type Json,
  newKey,
  newWorld,
  SIGNED_AT,
  type Signed,
} from '../../bundle/world.ts';

/** What was asked. */
export interface Asked {
  readonly path: string;
  readonly method: string;
  readonly authorization: string | undefined;
  readonly body: Json;
}

/** All services of one instance below one address; `answer` may answer in their place. */
export interface Services {
  readonly url: string;
  readonly asked: Asked[];
  answer: ((path: string, response: ServerResponse) => boolean) | undefined;
  readonly root: Json;
  /** A log sees a digest only; this one makes its entry of the bytes. */
  know(bytes: Buffer): void;
  close(): Promise<void>;
}

export async function startServices(): Promise<Services> {
  const world = await newWorld();
  const authority = await initializeTSA(generateKeyPairSync('ec', { namedCurve: 'P-256' }), SIGNED_AT);
  const stamp = tsaHandler(authority);
  const artifacts = new Map<string, Buffer>();

  const fulcio = (body: Json): Json => {
    const publicKey = createPublicKey(body.publicKeyRequest.publicKey.content);
    const der = world.certify(newKey(), { publicKey });
    const chain = { certificates: [der, world.issuing].map((one) => new X509Certificate(one).toString()) };
    return { signedCertificateEmbeddedSct: { chain } };
  };

  /** A proposed entry as something that was signed, and which entry it becomes. */
  const signedIn = (body: Json): readonly [EntryName, Signed] => {
    if (body.kind === 'dsse') {
      const { envelope, verifiers } = body.spec.proposedContent;
      return ['dsse 0.0.1', ofEnvelope(JSON.parse(envelope), derOfPem(verifiers[0]))];
    }
    if (body.kind === 'hashedrekord') {
      const { data, signature } = body.spec;
      const artifact = artifacts.get(data.hash.value) ?? Buffer.alloc(0);
      return [
        'hashedrekord 0.0.1',
        signedOf({ artifact }, artifact, [signature.content, derOfPem(signature.publicKey.content)]),
      ];
    }
    if (body.dsseRequestV002 !== undefined) {
      const { envelope, verifiers } = body.dsseRequestV002;
      return [
        'dsse 0.0.2',
        ofEnvelope(envelope, Buffer.from(verifiers[0].x509Certificate.rawBytes, 'base64')),
      ];
    }
    const { digest, signature } = body.hashedRekordRequestV002;
    const artifact = artifacts.get(Buffer.from(digest, 'base64').toString('hex')) ?? Buffer.alloc(0);
    const der = Buffer.from(signature.verifier.x509Certificate.rawBytes, 'base64');
    return ['hashedrekord 0.0.2', signedOf({ artifact }, artifact, [signature.content, der])];
  };

  const rekor = async (body: Json): Promise<Json> => {
    const [name, signed] = signedIn(body);
    const entry = await world.log(name, signed);
    const hex = (text: string): string => Buffer.from(text, 'base64').toString('hex');
    if (name.endsWith('0.0.2')) return entry;
    const { inclusionProof } = entry;
    return {
      uuid: {
        body: entry.canonicalizedBody,
        integratedTime: Number(entry.integratedTime),
        logID: hex(entry.logId.keyId),
        logIndex: Number(entry.logIndex),
        verification: {
          signedEntryTimestamp: entry.inclusionPromise.signedEntryTimestamp,
          inclusionProof: {
            logIndex: Number(inclusionProof.logIndex),
            treeSize: Number(inclusionProof.treeSize),
            rootHash: hex(inclusionProof.rootHash),
            hashes: inclusionProof.hashes.map(hex),
            checkpoint: inclusionProof.checkpoint.envelope,
          },
        },
      },
    };
  };

  const services: Services = {
    url: '',
    asked: [],
    answer: undefined,
    root: rootWith(world.trustedRoot(), authority),
    know: (bytes) => {
      artifacts.set(hash('sha256', bytes), bytes);
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const { url: path = '', method = '', headers } = request;
    const body: Json = text === '' ? undefined : JSON.parse(text);
    services.asked.push({ path, method, authorization: headers.authorization, body });
    if (services.answer?.(path, response) === true) return;
    const send = (value: Json): void => {
      response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    };
    if (path === '/api/v2/signingCert') send(fulcio(body));
    else if (path === '/api/v1/log/entries' || path === '/api/v2/log/entries') send(await rekor(body));
    else if (path === '/api/v1/timestamp') {
      const { statusCode, response: bytes } = await stamp.fn(text);
      response.writeHead(statusCode).end(bytes);
    } else response.writeHead(404).end();
  };
  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  const url = `http://127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`;
  return Object.assign(services, { url });
}

const derOfPem = (base64: string): Buffer => {
  const pem = Buffer.from(base64, 'base64').toString('utf8');
  return Buffer.from(pem.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64');
};

function signedOf(content: Content, bytes: Buffer, [signature, der]: readonly [string, Buffer]): Signed {
  return { content, bytes, signature: Buffer.from(signature, 'base64'), key: newKey(), certificate: der };
}

function ofEnvelope(envelope: Json, der: Buffer): Signed {
  const payload = Buffer.from(envelope.payload, 'base64');
  const bytes = preAuthEncoding(envelope.payloadType, payload);
  return signedOf({ payload, payloadType: envelope.payloadType }, bytes, [envelope.signatures[0].sig, der]);
}

/** The root of the instance, with our own timestamp authority in it. */
function rootWith(root: Json, { intCertificate, rootCertificate }: Json): Json {
  const [known] = root.timestampAuthorities;
  const certificates = [intCertificate, rootCertificate].map((one: ArrayBufferView) => ({
    rawBytes: Buffer.from(one.buffer, one.byteOffset, one.byteLength).toString('base64'),
  }));
  return {
    ...root,
    timestampAuthorities: [{ ...known, uri: 'https://tsa.here.example', certChain: { certificates } }],
  };
}
