// SPDX-License-Identifier: Apache-2.0
// Ledgers shared by processes, and a process that dies in the middle of its appends.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { readTrust, verifyRecord } from '../../../attest/index.ts';
import {
  appendTo,
  newSigner,
  open,
  PREDICATE_TYPE,
  temporaryFolders,
  trustedKey,
  trustOf,
} from '../fixture.ts';

const folders = temporaryFolders();
afterAll(() => folders.removeAll());
const APPENDER = join(import.meta.dirname, 'appender.ts');

function append(directory: string, count: number, concurrency: number): ChildProcess {
  return spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', APPENDER, directory, String(count), String(concurrency)],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NODE_OPTIONS: '' } },
  );
}

/** The whole lines that a process has printed, kept up to date. */
function linesOf(child: ChildProcess): () => string[] {
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return () => text.split('\n').slice(0, -1);
}

describe('a process killed in the middle of its appends', () => {
  it.each([1, 64])('has lost no acknowledged record (%d at a time)', async (concurrency) => {
    const directory = folders.make();
    const acknowledged = new Set<string>();
    for (let round = 0; round < 3; round++) {
      const child = append(directory, 0, concurrency);
      const lines = linesOf(child);
      const ended = once(child, 'close');
      while (lines().length < 40 && child.exitCode === null) await new Promise((wake) => setTimeout(wake, 5));
      child.kill('SIGKILL');
      await ended;
      expect(child.signalCode).toBe('SIGKILL');
      for (const line of lines()) {
        expect(acknowledged.has(line)).toBe(false);
        acknowledged.add(line);
      }
    }
    const ledger = open(directory);
    const indexes = new Set([...ledger.records()].map(({ index }) => String(index)));
    expect(acknowledged.size).toBeGreaterThanOrEqual(120);
    expect([...acknowledged].filter((index) => !indexes.has(index))).toEqual([]);
    const signer = newSigner();
    const bundle = await appendTo(ledger, signer);
    const trust = readTrust(trustOf([trustedKey(signer)], [ledger]));
    expect(verifyRecord(bundle, trust, { use: 'record', predicateType: PREDICATE_TYPE })).toMatchObject({
      ok: true,
      value: { logIndex: indexes.size },
    });
    await ledger.close();
  });
});

describe('several processes on one ledger', () => {
  it('append in turn, from its making on, and every index is given once', async () => {
    const directory = folders.make();
    const children = [append(directory, 150, 1), append(directory, 150, 10), append(directory, 150, 50)];
    const lines = children.map(linesOf);
    const codes = await Promise.all(children.map(async (child) => (await once(child, 'close'))[0]));
    expect(codes).toEqual([0, 0, 0]);
    const given = lines.flatMap((read) => read().map(Number)).sort((a, b) => a - b);
    expect(given).toEqual(Array.from({ length: 450 }, (_, index) => index));
    const ledger = open(directory);
    expect([...ledger.records()]).toHaveLength(450);
    await ledger.close();
  });

  it('is seen by one that has it open', async () => {
    const directory = folders.make();
    const [one, two] = [open(directory), open(directory)];
    const signer = newSigner();
    await appendTo(one, signer);
    expect(two.size()).toBe(1);
    const bundle = await appendTo(two, signer);
    expect(bundle.verificationMaterial.tlogEntries[0]?.logIndex).toBe('1');
    expect(one.bundle(1)).toEqual(bundle);
    await Promise.all([one.close(), two.close()]);
  });
});
