// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import {
  type Destination,
  openFileRows,
  openPublisher,
  openReader,
  type Published,
  type Reader,
  readAddress,
  readCheckpoint,
  readWitness,
  type SignedCheckpoint,
} from '../../../attest/index.ts';
import { pathOf } from '../../../attest/ledger/publish/tiles.ts';
import { cosignedAt, hashChildren, hashLeaf, rootOf } from '../../../attest/log/index.ts';
import { appendTo, newSigner, open, statementBytes, temporaryFolders } from '../fixture.ts';
import { type FakeWitness, type Misbehaviour, startWitness } from './witness.ts';

const folders = temporaryFolders();
const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
});
afterAll(() => folders.removeAll());
const signer = newSigner();

async function grow(directory: string, count: number): Promise<void> {
  const ledger = open(directory);
  await Promise.all(
    Array.from({ length: count }, (_, number) =>
      appendTo(ledger, signer, statementBytes({ predicate: { verdict: 'allow', number } })),
    ),
  );
  await ledger.close();
}

const readers: Reader[] = [];
afterAll(async () => {
  for (const { rows } of readers) await rows.close();
});

async function readerOf(directory: string): Promise<Reader> {
  const reader = await openReader(openFileRows(directory));
  readers.push(reader);
  return reader;
}

async function ledgerOf(count: number): Promise<{ directory: string; reader: Reader }> {
  const directory = folders.make();
  await grow(directory, count);
  return { directory, reader: await readerOf(directory) };
}

async function witnessOf(reader: Reader, misbehaviour: Misbehaviour = {}): Promise<FakeWitness> {
  const witness = await startWitness(reader, misbehaviour);
  servers.push(witness.server);
  return witness;
}

function destinationOf({ url, verifierKey }: FakeWitness): Destination {
  const [address, witness] = [readAddress(url), readWitness(verifierKey)];
  if (address === undefined || witness === undefined) throw new Error('the fake is none');
  return { kind: 'witness', url: address, witness };
}

const failuresOf = (results: readonly Published[]): unknown[] =>
  results.map(({ failure }) => (failure === undefined ? undefined : Reflect.get(Object(failure), 'message')));

describe('a witness', () => {
  it('cosigns a log as it grows, and is told where it was', async () => {
    const { directory, reader } = await ledgerOf(5);
    const fake = await witnessOf(reader);
    const destination = destinationOf(fake);
    const publisher = openPublisher([destination]);
    const first = await publisher.publish(reader);
    expect(failuresOf(first.results)).toEqual([undefined]);
    await grow(directory, 4);
    const second = await publisher.publish(reader);
    expect(failuresOf(second.results)).toEqual([undefined]);
    expect(fake.requests.map((body) => body.split('\n')[0])).toEqual(['old 0', 'old 5']);
    const note = readCheckpoint(second.checkpoint?.note ?? '');
    if (note === undefined || destination.kind !== 'witness') throw new Error('no note');
    expect(note.signatures.map(({ name }) => name)).toEqual([reader.origin, 'witness.test/w1']);
    expect(cosignedAt(note, destination.witness)).toBe(1_790_000_000n);
    expect(note.size).toBe(9);
  });

  it('says how far it is (409), and is asked again from there', async () => {
    const { directory, reader } = await ledgerOf(3);
    const fake = await witnessOf(reader);
    await openPublisher([destinationOf(fake)]).publish(reader);
    await grow(directory, 3);
    const { results } = await openPublisher([destinationOf(fake)]).publish(reader);
    expect(failuresOf(results)).toEqual([undefined]);
    expect(fake.requests.map((body) => body.split('\n')[0])).toEqual(['old 0', 'old 0', 'old 3']);
  });

  it('cosigns the same checkpoint again', async () => {
    const { reader } = await ledgerOf(4);
    const fake = await witnessOf(reader);
    for (let time = 0; time < 2; time++)
      expect(failuresOf((await openPublisher([destinationOf(fake)]).publish(reader)).results)).toEqual([
        undefined,
      ]);
  });

  it('notices a log that was cut back', async () => {
    const { reader } = await ledgerOf(4);
    const fake = await witnessOf(reader);
    fake.latest.set(reader.origin, { size: 9, root: Buffer.alloc(32) });
    const { results } = await openPublisher([destinationOf(fake)]).publish(reader);
    expect(failuresOf(results)[0]).toMatch(
      /has not taken the checkpoint: it has seen 9 records of this log, which has 4$/,
    );
  });

  it('notices a log that was written anew', async () => {
    const { reader } = await ledgerOf(4);
    const fake = await witnessOf(reader);
    fake.latest.set(reader.origin, { size: 3, root: Buffer.alloc(32) });
    const { results } = await openPublisher([destinationOf(fake)]).publish(reader);
    expect(failuresOf(results)[0]).toMatch(/this log has not grown from the one that it has seen$/);
    fake.latest.set(reader.origin, { size: 4, root: Buffer.alloc(32) });
    const again = await openPublisher([destinationOf(fake)]).publish(reader);
    expect(failuresOf(again.results)[0]).toMatch(/it has seen another log of this name and size$/);
  });

  it.each<[string, Misbehaviour['answer'], RegExp]>([
    ['one that does not know the log', () => ({ status: 404, text: '' }), /it does not know this log$/],
    [
      'one that does not trust its key',
      () => ({ status: 403, text: '' }),
      /it does not trust the key of this log$/,
    ],
    ['one that is broken', () => ({ status: 500, text: '' }), /it answers 500$/],
    ['a redirect', () => ({ status: 307, text: '' }), /it answers 307$/],
    [
      'a conflict without end',
      () => ({ status: 409, type: 'text/x.tlog.size', text: '2\n' }),
      /another log of this name and size$/,
    ],
    [
      'a conflict with nonsense',
      () => ({ status: 409, type: 'text/x.tlog.size', text: '-1\n' }),
      /another log of this name and size$/,
    ],
    [
      'signatures of others',
      () => ({ status: 200, text: '— witness.test/w1 AAAAAAAAAAAAAAAAAAAAAAAA\n' }),
      /is not signed by "witness.test\/w1"$/,
    ],
    ['no signature', () => ({ status: 200, text: '' }), /is not signed by "witness.test\/w1"$/],
    [
      'more than anybody reads',
      () => ({ status: 200, text: 'x'.repeat(70_000) }),
      /its answer has more than 65536 bytes$/,
    ],
  ])('is not believed: %s', async (_, answer, message) => {
    const { reader } = await ledgerOf(4);
    const fake = await witnessOf(reader, answer === undefined ? {} : { answer });
    const { checkpoint, results } = await openPublisher([destinationOf(fake)]).publish(reader);
    expect(failuresOf(results)[0]).toMatch(message);
    expect(checkpoint?.note).toBe((await reader.newest())?.note);
  });

  it('has a verifier key that is its own', () => {
    const good = 'witness.test/w1+00000000+BAAA';
    expect(readWitness(good)).toBeUndefined();
    for (const bad of ['', 'x', 'a b+00000000+AAAA', `w+00000000+${Buffer.alloc(33, 4).toString('base64')}`])
      expect(readWitness(bad)).toBeUndefined();
  });
});

describe('publishing', () => {
  it('brings the checkpoint to files, commits and servers, with the signatures of witnesses', async () => {
    const { reader } = await ledgerOf(4);
    const fake = await witnessOf(reader);
    const received: string[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (part: Buffer) => {
        body += part.toString();
      });
      request.on('end', () => {
        received.push(`${request.method} ${request.url} ${request.headers['content-type']}\n${body}`);
        response.writeHead(204).end();
      });
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const url = readAddress(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/log`);
    if (url === undefined) throw new Error('no address');
    const [folder, repository] = [folders.make(), folders.make()];
    execFileSync('git', ['init', '-q', repository]);
    const file = join(folder, 'below', 'checkpoint');
    const publisher = openPublisher([
      { kind: 'file', file },
      { kind: 'git', repository },
      { kind: 'http', url },
      destinationOf(fake),
    ]);
    const { checkpoint, results } = await publisher.publish(reader);
    expect(failuresOf(results)).toEqual([undefined, undefined, undefined, undefined]);
    const note = checkpoint?.note ?? '';
    expect(readCheckpoint(note)?.signatures).toHaveLength(2);
    expect(readFileSync(file, 'utf8')).toBe(note);
    expect(readFileSync(join(repository, reader.origin), 'utf8')).toBe(note);
    expect(received).toEqual([`POST /log text/plain; charset=utf-8\n${note}`]);
    await publisher.publish(reader);
    const log = execFileSync('git', ['-C', repository, 'log', '--format=%an %s'], { encoding: 'utf8' });
    expect(log).toBe(`countersign ${reader.origin}: 4 records\n`);
  });

  it('pushes where the branch has an upstream', async () => {
    const { reader } = await ledgerOf(1);
    const [bare, clone] = [folders.make(), folders.make()];
    execFileSync('git', ['init', '-q', '--bare', '-b', 'main', bare]);
    execFileSync('git', ['clone', '-q', bare, clone], { stdio: 'ignore' });
    const publisher = openPublisher([{ kind: 'git', repository: clone }]);
    await publisher.publish(reader);
    execFileSync('git', ['-C', clone, 'push', '-q', '-u', 'origin', 'HEAD:main'], { stdio: 'ignore' });
    execFileSync('git', ['-C', clone, 'branch', '-q', '-u', 'origin/main'], { stdio: 'ignore' });
    execFileSync('git', ['-C', clone, 'config', 'push.default', 'upstream']);
    execFileSync('git', ['-C', clone, 'rm', '-q', reader.origin]);
    execFileSync('git', [
      '-C',
      clone,
      '-c',
      'user.name=x',
      '-c',
      'user.email=x',
      'commit',
      '-q',
      '-m',
      'gone',
    ]);
    expect(failuresOf((await publisher.publish(reader)).results)).toEqual([undefined]);
    const there = execFileSync('git', ['-C', bare, 'show', `main:${reader.origin}`], { encoding: 'utf8' });
    expect(there).toBe((await reader.newest())?.note);
  });

  it('tells of each place that it failed in, and goes on', async () => {
    const { reader } = await ledgerOf(2);
    const folder = folders.make();
    const { results } = await openPublisher([
      { kind: 'git', repository: folder },
      { kind: 'http', url: new URL('http://127.0.0.1:1/') },
      { kind: 'file', file: '/dev/null/checkpoint' },
      { kind: 'file', file: join(folder, 'checkpoint') },
    ]).publish(reader);
    expect(results.map(({ failure }) => Reflect.get(Object(failure), 'code'))).toEqual([
      'CHECKPOINT_UNPUBLISHED',
      'CHECKPOINT_UNPUBLISHED',
      'CHECKPOINT_UNPUBLISHED',
      undefined,
    ]);
    expect(existsSync(join(folder, 'checkpoint'))).toBe(true);
  });

  it('knows which addresses it may publish to', () => {
    for (const good of [
      'https://log.example/x',
      'http://127.0.0.1:8080/',
      'http://[::1]/',
      'http://localhost/',
    ])
      expect(readAddress(good)?.href).toBe(good);
    for (const bad of [
      'http://log.example/',
      'ftp://127.0.0.1/',
      'https://user:word@log.example/',
      'log.example',
      'http://127.0.0.1.example/',
    ])
      expect(readAddress(bad)).toBeUndefined();
  });
});

describe('tiles', () => {
  it.each([
    [0, 256, '000'],
    [7, 12, '007.p/12'],
    [1_000, 256, 'x001/000'],
    [1_234_067, 1, 'x001/x234/067.p/1'],
  ])('have paths: %d of %d is %s', (index, width, path) => {
    expect(pathOf({ index, width })).toBe(path);
  });

  /** The root that a reader of tiles computes, who has nothing but these files. */
  function rootOfTiles(directory: string, size: number): Buffer {
    const hashes: Buffer[] = [];
    for (let index = 0; index * 256 < size; index++) {
      const width = Math.min(256, size - index * 256);
      const tile = readFileSync(join(directory, 'tile', '0', pathOf({ index, width })));
      const bundle = readFileSync(join(directory, 'tile', 'entries', pathOf({ index, width })));
      expect(tile).toHaveLength(32 * width);
      let at = 0;
      for (let entry = 0; entry < width; entry++) {
        const length = bundle.readUInt16BE(at);
        const leaf = Buffer.from(hashLeaf(bundle.subarray(at + 2, at + 2 + length)));
        expect(tile.subarray(entry * 32, entry * 32 + 32).equals(leaf)).toBe(true);
        hashes.push(leaf);
        at += 2 + length;
      }
      expect(at).toBe(bundle.length);
    }
    const fold = (list: readonly Buffer[]): Buffer => {
      if (list.length === 1) return list[0] ?? Buffer.alloc(0);
      let half = 1;
      while (half * 2 < list.length) half *= 2;
      return Buffer.from(hashChildren(fold(list.slice(0, half)), fold(list.slice(half))));
    };
    return size === 0 ? Buffer.from(rootOf(0, () => Buffer.alloc(0))) : fold(hashes);
  }

  const checkpointIn = (directory: string): SignedCheckpoint & { text: string } => {
    const note = readFileSync(join(directory, 'checkpoint'), 'utf8');
    const read = readCheckpoint(note);
    if (read === undefined) throw new Error('no checkpoint');
    return { ...read, note };
  };

  it('lead to the checkpoint, as the log grows past full tiles', async () => {
    const { directory, reader } = await ledgerOf(250);
    const tiles = folders.make();
    const publisher = openPublisher([{ kind: 'tiles', directory: tiles }]);
    for (const more of [0, 6, 300]) {
      await grow(directory, more);
      expect(failuresOf((await publisher.publish(reader)).results)).toEqual([undefined]);
      const { size, root } = checkpointIn(tiles);
      expect(rootOfTiles(tiles, size).equals(root)).toBe(true);
    }
    expect(checkpointIn(tiles).size).toBe(556);
    expect(readdirSync(join(tiles, 'tile')).sort()).toEqual(['0', '1', 'entries']);
    // Level 1: each hash is the root of a full tile below; of 556 entries there are two.
    const level1 = readFileSync(join(tiles, 'tile', '1', '000.p', '2'));
    expect(level1).toHaveLength(64);
    expect(statSync(join(tiles, 'tile', '0', '000')).size).toBe(8_192);
    const first = readFileSync(join(tiles, 'tile', '0', '000'));
    let row = Array.from({ length: 256 }, (_, at) => first.subarray(at * 32, at * 32 + 32));
    while (row.length > 1)
      row = Array.from({ length: row.length / 2 }, (_, at) =>
        Buffer.from(hashChildren(row[2 * at] ?? first, row[2 * at + 1] ?? first)),
      );
    expect(level1.subarray(0, 32).equals(row[0] ?? first)).toBe(true);
    expect(hash('sha256', level1, 'hex')).toMatch(/^[0-9a-f]{64}$/);
  });
});
