// SPDX-License-Identifier: Apache-2.0
import type { Args, Flags } from '../args.ts';

/** Beside each `--key`. */
export const PASSWORD_FLAG: Flags = {
  'key-password-file': {
    value: 'FILE',
    needs: ['key'],
    help: 'file of the password of an encrypted key (without it COUNTERSIGN_PASSWORD, or what is typed)',
  },
};

/** Of a verb that signs artefacts. */
export const SIGNING_FLAGS: Flags = {
  key: { value: 'FILE|URI', help: 'private key (ECDSA P-256 or Ed25519: PEM or of cosign), or one in a KMS' },
  ...PASSWORD_FLAG,
  keyless: {
    needs: ['fulcio'],
    excludes: ['key'],
    help: 'instead of a key: a certificate for whoever the id token of this job names',
  },
  fulcio: {
    value: 'URL',
    needs: ['keyless'],
    help: 'who gives the certificate, such as https://fulcio.sigstore.dev',
  },
  'id-token': {
    value: 'FILE',
    needs: ['keyless'],
    help: 'the id token (default: SIGSTORE_ID_TOKEN, or that of GitHub Actions)',
  },
  rekor: { value: 'URL', help: 'transparency log that the signature is published in' },
  'rekor-version': {
    value: '1|2',
    needs: ['rekor'],
    help: 'the API of that log (default 1; 2 with --keyless only, and with --timestamp, as it tells no time)',
  },
  timestamp: { value: 'URL', help: 'RFC 3161 timestamp authority that says when it was signed' },
};

/** Which key is wanted, as the command line says. */
export interface KeyRequest {
  /** A file, or the URI of a key in a KMS. */
  readonly key: string;
  readonly passwordFile?: string;
}

/** The key of `--key`, which is given. */
export function keyRequest(args: Args): KeyRequest {
  const passwordFile = args.text('key-password-file');
  return { key: args.text('key') ?? '', ...(passwordFile === undefined ? {} : { passwordFile }) };
}
