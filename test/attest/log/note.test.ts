// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  checkpointSigner,
  isOrigin,
  isSignedBy,
  noteKeyId,
  readCheckpoint,
  readIndex,
} from '../../../attest/log/index.ts';

// The example keys of Go's golang.org/x/mod/sumdb/note, whose format C2SP signed-note specifies.
const SKEY = 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';
const seed = Buffer.from(SKEY.split('+').slice(4).join('+'), 'base64').subarray(1);
const key = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]),
  format: 'der',
  type: 'pkcs8',
});
const ORIGIN = 'ledger.example';
const ROOT = Buffer.alloc(32, 7);

describe('a note key', () => {
  it('has the id of the published example', () => {
    const id = noteKeyId('PeterNeumann', createPublicKey(key));
    expect(id).toHaveLength(32);
    expect(Buffer.from(id.subarray(0, 4)).toString('hex')).toBe('c74f20a3');
  });
});

describe('a published note', () => {
  const text =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
  const line = 'x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=';

  it('is signed by its signer, and by nobody else', () => {
    const bytes = Buffer.from(line, 'base64');
    const note = {
      text,
      signatures: [{ name: 'PeterNeumann', keyHint: bytes.subarray(0, 4), signature: bytes.subarray(4) }],
    };
    expect(isSignedBy(note, 'PeterNeumann', createPublicKey(key))).toBe(true);
    expect(isSignedBy(note, 'EnochRoot', createPublicKey(key))).toBe(false);
    expect(isSignedBy({ ...note, text: `${text} ` }, 'PeterNeumann', createPublicKey(key))).toBe(false);
  });
});

describe('a checkpoint', () => {
  const note = checkpointSigner(ORIGIN, key)(12_345, ROOT);

  it('is a signed note of three lines', () => {
    expect(note).toMatch(
      /^ledger\.example\n12345\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n\n— ledger\.example [A-Za-z0-9+/]+={0,2}\n$/,
    );
  });

  it('reads as it was written', () => {
    expect(readCheckpoint(note)).toMatchObject({
      origin: ORIGIN,
      size: 12_345,
      root: ROOT,
      signatures: [{ name: ORIGIN }],
    });
  });

  it('is signed by its log only', () => {
    const read = readCheckpoint(note);
    if (read === undefined) throw new Error('unreadable');
    const stranger = generateKeyPairSync('ed25519').publicKey;
    expect(isSignedBy(read, ORIGIN, createPublicKey(key))).toBe(true);
    expect(isSignedBy(read, 'other.example', createPublicKey(key))).toBe(false);
    expect(isSignedBy(read, ORIGIN, stranger)).toBe(false);
    expect(isSignedBy({ ...read, signatures: [] }, ORIGIN, createPublicKey(key))).toBe(false);
  });

  it('may carry the signatures of witnesses, and lines that only they use', () => {
    const witnessed = `${note}— witness.example ${Buffer.alloc(68, 1).toString('base64')}\n`;
    const read = readCheckpoint(witnessed);
    expect(read?.signatures.map(({ name }) => name)).toEqual([ORIGIN, 'witness.example']);
    expect(read === undefined ? false : isSignedBy(read, ORIGIN, createPublicKey(key))).toBe(true);
  });

  const root = ROOT.toString('base64');
  const signature = `— ${ORIGIN} ${Buffer.alloc(68, 1).toString('base64')}\n`;
  it.each([
    ['nothing', ''],
    ['no signature', `${ORIGIN}\n1\n${root}\n`],
    ['an empty signature part', `${ORIGIN}\n1\n${root}\n\n`],
    ['no newline at its end', `${ORIGIN}\n1\n${root}\n\n${signature.trim()}`],
    ['no origin', `\n1\n${root}\n\n${signature}`],
    ['a size in hexadecimal', `${ORIGIN}\n0x1\n${root}\n\n${signature}`],
    ['a size with a leading zero', `${ORIGIN}\n01\n${root}\n\n${signature}`],
    ['a negative size', `${ORIGIN}\n-1\n${root}\n\n${signature}`],
    ['a size beyond 2^53', `${ORIGIN}\n9007199254740993\n${root}\n\n${signature}`],
    ['a short root', `${ORIGIN}\n1\nAAAA\n\n${signature}`],
    ['a root in another spelling', `${ORIGIN}\n1\n${root.replace('=', '')}\n\n${signature}`],
    ['a line that is no signature', `${ORIGIN}\n1\n${root}\n\n${signature}hello\n`],
    ['a hyphen for a dash', `${ORIGIN}\n1\n${root}\n\n${signature.replace('—', '-')}`],
    ['a signature too short for its key hint', `${ORIGIN}\n1\n${root}\n\n— ${ORIGIN} AAAA\n`],
    ['too many signatures', `${ORIGIN}\n1\n${root}\n\n${signature.repeat(17)}`],
    ['too many characters', `${ORIGIN}\n1\n${root}\n${'x'.repeat(16 * 1024)}\n\n${signature}`],
  ])('with %s is none', (_, text) => {
    expect(readCheckpoint(text)).toBeUndefined();
  });
});

describe('names and numbers', () => {
  it.each(['ledger.example', 'a', 'a-b.c0', `${'a'.repeat(63)}.b`])('takes %j as an origin', (name) => {
    expect(isOrigin(name)).toBe(true);
  });

  it.each([
    '',
    '.',
    'a..b',
    'A.b',
    'a b',
    'a/b',
    'a:1',
    '-a',
    'a-',
    'a\n',
    'ü',
    `${'a'.repeat(64)}`,
    'a.'.repeat(150),
  ])('does not take %j as an origin', (name) => {
    expect(isOrigin(name)).toBe(false);
  });

  it.each([
    ['0', 0],
    ['10', 10],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['', undefined],
    ['00', undefined],
    ['-0', undefined],
    ['1e3', undefined],
    [' 1', undefined],
    ['9007199254740992', undefined],
  ])('reads the index %j as %j', (text, value) => {
    expect(readIndex(text)).toBe(value);
  });
});
