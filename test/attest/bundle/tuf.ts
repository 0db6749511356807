// SPDX-License-Identifier: Apache-2.0
// A TUF repository of one's own, served on loopback, that can be made to do what an attacker's mirror would.
import { createPublicKey, generateKeyPairSync, hash, type KeyObject, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Json } from './world.ts';

/** TUF signs canonical JSON: members in order, no white space. */
const canonical = (value: Json): string =>
  JSON.stringify(value, (_, member) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );

const keyOf = (key: KeyObject): Json => ({
  keytype: 'ed25519',
  scheme: 'ed25519',
  keyval: {
    public: createPublicKey(key).export({ type: 'spki', format: 'der' }).subarray(-32).toString('hex'),
  },
});

export interface Publication {
  readonly trustedRoot: string;
  readonly version: number;
  readonly expires: Date;
  /** Who signs instead of the key that may. */
  readonly by?: KeyObject;
}

/** Makes a repository; what it serves is what was published last. */
export async function newRepository() {
  const key = generateKeyPairSync('ed25519').privateKey;
  const keyId = hash('sha256', canonical(keyOf(key)));
  const files = new Map<string, string>();
  const requests: string[] = [];
  let isDown = false;
  const signed = (content: Json, by = key): string =>
    JSON.stringify({
      signatures: [{ keyid: keyId, sig: sign(null, Buffer.from(canonical(content)), by).toString('hex') }],
      signed: content,
    });
  const about = (text: string): Json => ({ length: text.length, hashes: { sha256: hash('sha256', text) } });
  const rootOf = (expires: Date): string => {
    const role = { keyids: [keyId], threshold: 1 };
    return signed({
      _type: 'root',
      spec_version: '1.0.31',
      version: 1,
      expires: expires.toISOString(),
      consistent_snapshot: true,
      keys: { [keyId]: keyOf(key) },
      roles: { root: role, timestamp: role, snapshot: role, targets: role },
    });
  };
  const server = createServer((request, response) => {
    const name = (request.url ?? '').slice(1);
    requests.push(name);
    const file = files.get(name);
    if (isDown) request.socket.destroy();
    else if (file === undefined) response.writeHead(404).end();
    else response.end(file);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port }: AddressInfo = Object(server.address());
  return {
    mirrorUrl: `http://127.0.0.1:${port}`,
    rootOf,
    requests,
    setDown: (down: boolean): void => {
      isDown = down;
    },
    publish({ trustedRoot, version, expires, by }: Publication): void {
      const head = { spec_version: '1.0.31', version, expires: expires.toISOString() };
      const targets = signed(
        { _type: 'targets', ...head, targets: { 'trusted_root.json': about(trustedRoot) } },
        by,
      );
      const snapshot = signed({ _type: 'snapshot', ...head, meta: { 'targets.json': { version } } }, by);
      const meta = { 'snapshot.json': { version, ...about(snapshot) } };
      files.set('timestamp.json', signed({ _type: 'timestamp', ...head, meta }, by));
      files.set(`${version}.snapshot.json`, snapshot);
      files.set(`${version}.targets.json`, targets);
      files.set(`targets/${hash('sha256', trustedRoot)}.trusted_root.json`, trustedRoot);
    },
    replaceTarget(trustedRoot: string, other: string): void {
      files.set(`targets/${hash('sha256', trustedRoot)}.trusted_root.json`, other);
    },
    close: (): Promise<void> =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
}
