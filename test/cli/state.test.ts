// SPDX-License-Identifier: Apache-2.0
// The files of a state folder: what two processes make at once, and what is never written over.
import { spawn } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

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
      const signer = readSigner(stateKey(${JSON.stringify(state)}));
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
