// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, verify } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { signStatement } from '../../../attest/index.ts';
import { preAuthEncoding } from '../../../attest/sign/index.ts';
import { newSigner } from '../fixture.ts';

describe('the pre-authentication encoding', () => {
  // The example of the DSSE specification, protocol.md §Test vectors.
  it('is that of the specification', () => {
    const bytes = preAuthEncoding('http://example.com/HelloWorld', Buffer.from('hello world'));
    expect(Buffer.from(bytes).toString()).toBe('DSSEv1 29 http://example.com/HelloWorld 11 hello world');
  });

  it('counts bytes, not characters, and takes any payload', () => {
    const bytes = preAuthEncoding('ü', Buffer.from([0, 0xff, 0x0a]));
    expect(Buffer.from(bytes)).toEqual(
      Buffer.concat([Buffer.from('DSSEv1 2 ü 3 '), Buffer.from([0, 0xff, 0x0a])]),
    );
    expect(Buffer.from(preAuthEncoding('', Buffer.alloc(0))).toString()).toBe('DSSEv1 0  0 ');
  });
});

const signer = newSigner();
const statement = Buffer.from('{"any": "bytes \u00fc"}');
const envelope = await signStatement(statement, signer);

describe('an envelope', () => {
  it('has the payload as given, one signature and no keyid', () => {
    expect(envelope).toEqual({
      payload: statement.toString('base64'),
      payloadType: 'application/vnd.in-toto+json',
      signatures: [{ sig: expect.stringMatching(/^[A-Za-z0-9+/]+={0,2}$/) }],
    });
  });

  it('is signed over its encoding', () => {
    const bytes = preAuthEncoding(envelope.payloadType, statement);
    const key = createPublicKey(signer.publicKeyPem);
    expect(verify('sha256', bytes, key, Buffer.from(envelope.signatures[0].sig, 'base64'))).toBe(true);
  });
});
