// SPDX-License-Identifier: Apache-2.0
// A log whose owner signs whatever he likes: every proof leads to its root, so only what we check beyond the library stands.
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { readTrust, signStatement, verifyRecord } from '../../../attest/index.ts';
import { bundleOf } from '../../../attest/ledger/bundle.ts';
import {
  checkpointSigner,
  entryBody,
  hashLeaf,
  noteKeyId,
  trustedRootOf,
} from '../../../attest/log/index.ts';
import { preAuthEncoding } from '../../../attest/sign/index.ts';
import { NOW, newSigner, PREDICATE_TYPE, statementBytes, trustedKey } from '../fixture.ts';

const ORIGIN = 'forged.example';
const signer = newSigner();
const envelope = await signStatement(statementBytes(), signer);
const signedBytes = preAuthEncoding(envelope.payloadType, statementBytes());
const signature = Buffer.from(envelope.signatures[0].sig, 'base64');
const honest = entryBody({ signedBytes, signature, publicKeyDer: signer.publicKeyDer });

/** A trusted log of one entry with this body, whose checkpoint may carry another origin than its signer's name. */
function logged(body: Buffer, origin = ORIGIN) {
  const { privateKey } = generateKeyPairSync('ed25519');
  const publicKey = createPublicKey(privateKey);
  const root = hashLeaf(body);
  const note = checkpointSigner(ORIGIN, privateKey)(1, root);
  const logId = noteKeyId(ORIGIN, publicKey);
  const renamed = checkpointSigner(origin, privateKey)(1, root).replace(
    /— \S+ (\S+)/,
    (_, encoded: string) => {
      const bytes = Buffer.from(encoded, 'base64');
      return `— ${ORIGIN} ${Buffer.concat([logId.subarray(0, 4), bytes.subarray(4)]).toString('base64')}`;
    },
  );
  const bundle = bundleOf({
    envelope,
    publicKeyDer: signer.publicKeyDer,
    body,
    index: 0,
    logId,
    checkpoint: { size: 1, root, note: origin === ORIGIN ? note : renamed },
    hashes: [],
  });
  return { bundle, root: trustedRootOf(ORIGIN, publicKey, NOW) };
}

function verdictOf(...logs: ReturnType<typeof logged>[]) {
  const trust = readTrust({
    apiVersion: 'countersign.dev/v1alpha1',
    kind: 'Trust',
    keys: [trustedKey(signer)],
    logs: logs.map(({ root }) => root),
  });
  const material = {
    publicKey: { hint: signer.keyId },
    tlogEntries: logs.flatMap(({ bundle }) => bundle.verificationMaterial.tlogEntries),
  };
  const record = { ...logs[0]?.bundle, verificationMaterial: material };
  return verifyRecord(record, trust, { use: 'record', predicateType: PREDICATE_TYPE });
}

const foreignKey = entryBody({ signedBytes, signature, publicKeyDer: newSigner().publicKeyDer });
const withMore = Buffer.from(honest.toString().replace('}}}}}', '},"more":1}}}}'));

describe('a log that its owner filled by hand', () => {
  it('holds where it is honest, once or twice', () => {
    expect(verdictOf(logged(honest))).toMatchObject({ ok: true });
    expect(verdictOf(logged(honest), logged(honest))).toMatchObject({ ok: true });
  });

  it.each([
    ['names another key', foreignKey],
    ['has a member more', withMore],
  ])('does not hold a record whose entry %s, whichever entry it is', (_, body) => {
    expect(body).not.toEqual(honest);
    expect(verdictOf(logged(body))).toMatchObject({ ok: false, code: 'LOG_ENTRY' });
    expect(verdictOf(logged(body), logged(honest))).toMatchObject({ ok: false, code: 'LOG_ENTRY' });
    expect(verdictOf(logged(honest), logged(body))).toMatchObject({ ok: false, code: 'LOG_ENTRY' });
  });

  it('does not hold with a checkpoint of another origin under its own name', () => {
    expect(verdictOf(logged(honest, 'other.example'))).toMatchObject({ ok: false, code: 'LOG_UNKNOWN' });
  });
});
