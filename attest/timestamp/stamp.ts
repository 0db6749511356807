// SPDX-License-Identifier: Apache-2.0
import { hash, type KeyObject } from 'node:crypto';
import { AttestError } from '../error.ts';
import { noteKeyId, readCheckpoint } from '../log/index.ts';
import { BUNDLE_MEDIA_TYPE, type SignedBundle } from '../sign/bundle.ts';

/**
 * Asks a timestamp authority (the API of Sigstore's) about a signed checkpoint; the JSON that is kept. Nothing but a digest is sent.
 * Rejects with {AttestError} SIGSTORE_UNAVAILABLE | SIGSTORE_REFUSED | CHECKPOINT_SHAPE
 * @param publicKey of the log, Ed25519
 */
export async function stampCheckpoint(
  note: string,
  publicKey: KeyObject,
  authority: string,
): Promise<string> {
  const publicKeyPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  // Sigstore's library is loaded by who asks, and by nobody else.
  const { witnessed } = await import('../sign/keyless/index.ts');
  const bundle = await witnessed(bundleOfNote(note, publicKey), { publicKeyPem }, { timestamp: authority });
  // Whom the reader will believe is for them to say; that it is a timestamp at all is looked at before it is kept for years.
  const { foreignEntityOf } = await import('../verify/sigstore.ts');
  if (foreignEntityOf(bundle, Buffer.from(readCheckpoint(note)?.text ?? '')) === undefined)
    throw new AttestError('SIGSTORE_UNAVAILABLE', 'what the timestamp authority answers is no timestamp', {
      hint: 'check its address: an authority with the API of Sigstore is wanted',
    });
  return `${JSON.stringify({ checkpoint: note, bundle })}\n`;
}

/** The log's own signature of a note, as a signature over its text. */
function bundleOfNote(note: string, publicKey: KeyObject): SignedBundle {
  const read = readCheckpoint(note);
  const hint = read === undefined ? undefined : Buffer.from(noteKeyId(read.origin, publicKey).subarray(0, 4));
  const own = read?.signatures.find(
    ({ name, keyHint }) => name === read.origin && hint?.equals(keyHint) === true,
  );
  if (read === undefined || own === undefined)
    throw new AttestError('CHECKPOINT_SHAPE', 'this is no checkpoint that the log signed');
  return {
    mediaType: BUNDLE_MEDIA_TYPE,
    verificationMaterial: {
      publicKey: { hint: Buffer.from(noteKeyId(read.origin, publicKey)).toString('base64') },
    },
    messageSignature: {
      messageDigest: { algorithm: 'SHA2_256', digest: hash('sha256', read.text, 'base64') },
      signature: Buffer.from(own.signature).toString('base64'),
    },
  };
}
