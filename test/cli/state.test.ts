// SPDX-License-Identifier: Apache-2.0
// The files of a state folder: what two processes make at once, and what is never written over.
import { spawn } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AttestError, generateKeyPair, openLedger } from '../../attest/index.ts';
import { findInstallation } from '../../cli/installation.ts';
import { writeRecord } from '../../cli/seal.ts';
import { openKey } from '../../cli/signing/key.ts';
import { openJudge } from '../../engine/review.ts';
import { changeOf, FACTS, policyOf } from '../engine/judge.ts';
import { worldOf } from './world.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-state-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A process that waits for a line on standard input, then makes the state folder and prints its public key. */
function starter(state: string): { readonly go: () => void; readonly key: Promise<string> } {
  const seal = JSON.stringify(resolve('cli/seal.ts'));
  const attest = JSON.stringify(resolve('attest/index.ts'));
  const program = `import { openState, stateKey } from ${seal};
    import { readSigner } from ${attest};
    process.stdin.once('data', async () => {
      const signer = readSigner(stateKey(${JSON.stringify(state)}, {}));
      await openState(${JSON.stringify(state)}, signer, { now: () => new Date() }).close();
      process.stdout.write(signer.publicKeyPem);
      process.exit(0);
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  const key = new Promise<string>((fulfil) => child.once('close', () => fulfil(out)));
  return { go: () => child.stdin.end('go\n'), key };
}

describe('two processes that start at once on one new state folder', () => {
  it('sign with one key, which is the one that the folder publishes and trusts', async () => {
    const state = join(directory, 'state');
    const starters = [starter(state), starter(state), starter(state)];
    for (const { go } of starters) go();
    const keys = await Promise.all(starters.map(({ key }) => key));
    const kept = createPublicKey(readFileSync(join(state, 'key.pem'), 'utf8')).export({
      type: 'spki',
      format: 'pem',
    });
    expect(new Set(keys)).toEqual(new Set([kept]));
    expect(readFileSync(join(state, 'key.pub'), 'utf8')).toBe(kept);
    expect(JSON.parse(readFileSync(join(state, 'trust.json'), 'utf8')).keys[0].publicKey).toBe(kept);
    expect(readdirSync(state).filter((name) => name.endsWith('.tmp') || name.endsWith('.new'))).toEqual([]);
  });
});

describe('a record file', () => {
  const at = (name: string): string => join(directory, name);
  const judge = openJudge({ policies: [policyOf('p', [{ code: 'a.b', says: () => [] }])], enforcement: {} });
  const judgement = judge.review(changeOf({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } }), FACTS);
  const record = (file: string): Promise<void> => {
    const request = {
      file: at(file),
      key: () => openKey({ key: at('key.pem') }, worldOf()),
      place: { state: at('state') },
      installation: findInstallation(),
      policies: [],
    };
    return writeRecord(judgement, request, worldOf());
  };
  const size = async (): Promise<number> => {
    const ledger = openLedger({ directory: at('state'), now: () => new Date(), create: false });
    const entries = ledger.size();
    await ledger.close();
    return entries;
  };

  beforeEach(() => {
    writeFileSync(at('key.pem'), generateKeyPair().privateKeyPem, { mode: 0o600 });
    writeFileSync(at('pod.yaml'), 'apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: x}\n');
  });

  it('is signed with a key that everybody may read only under a warning', async () => {
    let err = '';
    const io = worldOf({
      userId: 1000,
      err: (text) => {
        err += text;
      },
    });
    const key = at('key.pem');
    const request = {
      file: at('r.json'),
      key: () => openKey({ key }, io),
      place: { state: at('state') },
      installation: findInstallation(),
      policies: [],
    };
    await writeRecord(judgement, request, io);
    expect(err).not.toContain('warning');
    chmodSync(key, 0o644);
    await writeRecord(judgement, request, io);
    expect(err).toContain(
      `warning: everybody on this machine may read key ${JSON.stringify(key)} (mode 0644)\nhint: chmod 600\n`,
    );
  });

  it('takes the place of an earlier one, or of an empty file', async () => {
    writeFileSync(at('r.json'), '');
    await record('r.json');
    await record('r.json');
    expect(await size()).toBe(2);
    expect(readdirSync(directory).sort()).toEqual([
      'key.pem',
      'pod.yaml',
      'r.json',
      'r.json.set.txt',
      'state',
    ]);
  });

  it.each(['key.pem', 'pod.yaml', 'folder', 'none/r.json'])('is not %s: nothing is signed', async (name) => {
    await record('r.json');
    mkdirSync(at('folder'));
    const names = readdirSync(directory);
    const texts = ['key.pem', 'pod.yaml'].map((file) => readFileSync(at(file), 'utf8'));
    const error = await record(name).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(AttestError);
    expect(error).toMatchObject({
      code: 'RECORD_UNWRITABLE',
      hint: expect.stringMatching(/^nothing was signed: /),
    });
    expect(['key.pem', 'pod.yaml'].map((file) => readFileSync(at(file), 'utf8'))).toEqual(texts);
    expect(readdirSync(directory)).toEqual(names);
    expect(await size()).toBe(1);
  });

  it('is not written where its listing cannot be', async () => {
    mkdirSync(at('r.json.set.txt'));
    await expect(record('r.json')).rejects.toMatchObject({ code: 'RECORD_UNWRITABLE' });
    expect(readdirSync(directory).sort()).toEqual(['key.pem', 'pod.yaml', 'r.json.set.txt']);
  });
});
