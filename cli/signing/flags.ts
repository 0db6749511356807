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
