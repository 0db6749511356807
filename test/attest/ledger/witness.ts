// SPDX-License-Identifier: Apache-2.0
// A witness on this machine, as C2SP tlog-witness describes one: it cosigns what has grown from what it cosigned before.
import { generateKeyPairSync, hash, type KeyObject, sign } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type Hash, isConsistent, isSignedBy, readCheckpoint } from '../../../attest/log/index.ts';

/** A running witness and what it has seen. */
export interface FakeWitness {
  readonly url: string;
  readonly verifierKey: string;
  readonly requests: string[];
  /** What it holds to be the latest checkpoint of a log. */
  readonly latest: Map<string, { size: number; root: Hash }>;
  readonly server: Server;
}

/** What a witness is told to do wrong. */
export interface Misbehaviour {
  readonly answer?: (body: string) => { status: number; type?: string; text: string } | undefined;
}

/** Starts one that trusts this key for this log. */
export async function startWitness(
  log: { readonly origin: string; readonly publicKey: KeyObject },
  misbehaviour: Misbehaviour = {},
): Promise<FakeWitness> {
  const name = 'witness.test/w1';
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  const material = Buffer.concat([Buffer.from([4]), raw]);
  const id = hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), material]), 'buffer').subarray(0, 4);
  const latest = new Map<string, { size: number; root: Hash }>();
  const requests: string[] = [];

  function cosign(body: string): { status: number; type?: string; text: string } {
    const split = body.indexOf('\n\n');
    const [old = '', ...proof] = body.slice(0, split).split('\n');
    const note = body.slice(split + 2);
    const read = readCheckpoint(note);
    if (read === undefined || !/^old (?:0|[1-9]\d*)$/.test(old)) return { status: 400, text: '' };
    if (read.origin !== log.origin) return { status: 404, text: '' };
    if (!isSignedBy(read, log.origin, log.publicKey)) return { status: 403, text: '' };
    const size = Number(old.slice(4));
    if (size > read.size) return { status: 400, text: '' };
    const known = latest.get(read.origin);
    const before = known ?? { size: 0, root: hash('sha256', '', 'buffer') };
    if (size !== before.size) return { status: 409, type: 'text/x.tlog.size', text: `${before.size}\n` };
    if (size === read.size && Buffer.compare(before.root, read.root) !== 0) return { status: 409, text: '' };
    const hashes = proof.map((line) => Buffer.from(line, 'base64'));
    if (!isConsistent({ earlier: before, later: read }, hashes)) return { status: 422, text: '' };
    latest.set(read.origin, { size: read.size, root: read.root });
    const time = Buffer.alloc(8);
    time.writeBigUInt64BE(1_790_000_000n);
    const message = Buffer.from(`cosignature/v1\ntime 1790000000\n${read.text}`);
    const line = Buffer.concat([id, time, sign(null, message, privateKey)]).toString('base64');
    return { status: 200, text: `— stranger ${line}\n— ${name} ${line}\n` };
  }

  const server = createServer((request, response) => {
    void textOf(request).then((body) => {
      requests.push(body);
      const { status, type, text } = misbehaviour.answer?.(body) ?? cosign(body);
      response.writeHead(request.url === '/w/add-checkpoint' ? status : 404, {
        'content-type': type ?? 'text/plain',
      });
      response.end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return {
    url: `http://127.0.0.1:${port}/w/`,
    verifierKey: `${name}+${id.toString('hex')}+${material.toString('base64')}`,
    requests,
    latest,
    server,
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(Buffer.from(part));
  return Buffer.concat(parts).toString('utf8');
}
