// SPDX-License-Identifier: Apache-2.0
// Every byte of one record file, changed in several ways: none of the results may verify, but for other spellings of the same thing.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readTrust, type Trust, verifyRecord } from '../../../attest/index.ts';
import {
  appendTo,
  newSigner,
  open,
  PREDICATE_TYPE,
  statementBytes,
  temporaryFolders,
  trustedKey,
  trustOf,
} from '../fixture.ts';

const folders = temporaryFolders();
const signer = newSigner();
let file: Buffer;
let trust: Trust;

beforeAll(async () => {
  const ledger = open(folders.make());
  for (let index = 0; index < 6; index++) await appendTo(ledger, signer);
  file = Buffer.from(
    JSON.stringify(await appendTo(ledger, signer, statementBytes({ predicate: { text: '?>?>~~' } }))),
  );
  trust = readTrust(trustOf([trustedKey(signer)], [ledger]));
  await ledger.close();
});
afterAll(() => folders.removeAll());

const holds = (bytes: Uint8Array): boolean =>
  verifyRecord(bytes, trust, { use: 'record', predicateType: PREDICATE_TYPE }).ok;

/** Payload and signature may be in URL-safe base64, without padding (DSSE); white space between tokens is none. */
function isSameRecord(bytes: Buffer): boolean {
  try {
    const normal = JSON.parse(bytes.toString('utf8'), (name, value) =>
      name === 'payload' || name === 'sig' ? Buffer.from(value, 'base64').toString('base64') : value,
    );
    return JSON.stringify(normal) === file.toString('utf8');
  } catch {
    return false;
  }
}

function expectNoneToHold(mutate: (at: number) => Buffer): void {
  const wrong: string[] = [];
  for (let at = 0; at < file.length; at++) {
    const bytes = mutate(at);
    if (!bytes.equals(file) && holds(bytes) && !isSameRecord(bytes))
      wrong.push(`${at}: ${bytes.subarray(Math.max(0, at - 20), at + 20).toString()}`);
  }
  expect(wrong).toEqual([]);
}

const replaced = (at: number, ...bytes: number[]): Buffer =>
  Buffer.concat([file.subarray(0, at), Buffer.from(bytes), file.subarray(at + 1)]);
const byteAt = (at: number): number => file[at] ?? 0;

describe('a record of which one byte', () => {
  it('is as it was holds', () => {
    expect(holds(file)).toBe(true);
  });

  it.each([0x01, 0x02, 0x04, 0x20, 0x80, 0xff])('is flipped with %d does not hold', (mask) => {
    expectNoneToHold((at) => replaced(at, byteAt(at) ^ mask));
  });

  it('is missing does not hold', () => {
    expectNoneToHold((at) => replaced(at));
  });

  it('stands twice does not hold', () => {
    expectNoneToHold((at) => replaced(at, byteAt(at), byteAt(at)));
  });

  it('is another one does not hold', () => {
    for (const byte of [0x00, 0x22, 0x2d, 0x30, 0x3d, 0x41, 0x5c, 0x5f])
      expectNoneToHold((at) => replaced(at, byte));
  });

  it('has changed places with the next does not hold', () => {
    expectNoneToHold((at) => {
      const bytes = Buffer.from(file);
      [bytes[at], bytes[at + 1]] = [byteAt(at + 1), byteAt(at)];
      return bytes.subarray(0, file.length);
    });
  });
});
