// SPDX-License-Identifier: Apache-2.0
// What the verbs that verify a proof are asked with: who may have signed, what is trusted, and what must be said.
import { readFileSync } from 'node:fs';
import {
  type AttestationQuestion,
  AttestError,
  keylessSigner,
  keySigner,
  NO_SIGSTORE,
  PUBLIC_MIRROR,
  readSigstoreTrust,
  refreshTrust,
  type SignerPolicy,
  type SigstoreTrust,
  type TufRepository,
} from '../../../attest/index.ts';
import type { Args, Flags } from '../../args.ts';
import { repositoryOf, rootsFolder } from '../../bundles/roots.ts';
import { codeOf } from '../../cause.ts';
import { UsageError } from '../../exit.ts';
import type { Io } from '../../io.ts';

/** The flags of every verb that verifies a proof. */
export const PROOF_FLAGS: Flags = {
  identity: {
    value: 'ID',
    needs: ['issuer'],
    excludes: ['key'],
    help: 'who must have signed, exactly as the certificate has it: a URL or a mail address',
  },
  issuer: {
    value: 'URL',
    needs: ['identity'],
    excludes: ['key'],
    help: 'who must vouch for that identity: the OpenID provider, exactly',
  },
  key: { value: 'PEM', help: 'the public key that must have signed, instead of an identity' },
  'trusted-root': {
    value: 'FILE',
    help: 'trusted_root.json of the Sigstore instance; without it, the public-good instance, kept fresh',
  },
  'tuf-mirror': {
    value: 'URL',
    excludes: ['trusted-root'],
    help: 'TUF repository of a private Sigstore instance, which publishes its trusted root',
  },
  'tuf-root': {
    value: 'FILE',
    needs: ['tuf-mirror'],
    help: 'root metadata (root.json) of that repository to begin with',
  },
  type: { value: 'URI', help: 'the predicate type that the attestation must have' },
  'no-log': { help: 'take a signature that no transparency log holds (an identity then needs a timestamp)' },
  offline: {
    excludes: ['trusted-root'],
    help: 'fetch nothing: the trusted root that was good last, or the one that came with the program',
  },
  format: { value: 'text|json', help: 'how to print the result' },
};

/** A question, but for what it is about. */
export type Asked = Omit<AttestationQuestion, 'subject' | 'artifact'>;

/**
 * Reads the flags, and has the trusted root.
 * @throws {UsageError}
 * @throws {AttestError} KEY_UNREADABLE | KEY_KIND | TRUST_UNREADABLE | TRUST_SHAPE | TRUST_UNAVAILABLE | TRUST_EXPIRED
 */
export async function askedOf(args: Args, io: Io): Promise<Asked> {
  const signer = signerOf(args);
  const predicateType = args.text('type');
  return {
    trust: await trustOf(args, io),
    signers: [signer],
    requireLog: !args.has('no-log'),
    now: io.now(),
    ...(predicateType === undefined ? {} : { predicateType }),
  };
}

function signerOf(args: Args): SignerPolicy {
  const [identity, issuer, key] = [args.text('identity'), args.text('issuer'), args.text('key')];
  if (key !== undefined) return keySigner(key, readKey(key));
  if (identity === undefined || issuer === undefined)
    throw new UsageError(
      'nobody is named who must have signed',
      'name an identity with --identity and --issuer, or a key with --key',
    );
  try {
    return keylessSigner({ name: identity, issuer, identity });
  } catch (error) {
    if (error instanceof AttestError) throw new UsageError(error.message, 'name identity and issuer exactly');
    throw error;
  }
}

async function trustOf(args: Args, io: Io): Promise<SigstoreTrust> {
  const file = args.text('trusted-root');
  if (file !== undefined) return readSigstoreTrust(readRoot(file));
  const mirror = args.text('tuf-mirror');
  const idle = ['offline', 'tuf-mirror'].find((flag) => args.has(flag));
  if (args.has('key') && args.has('no-log')) {
    if (idle !== undefined)
      throw new UsageError(
        `--${idle} has no effect: a key without a log needs no trusted root`,
        'leave it out',
      );
    return NO_SIGSTORE;
  }
  return refreshTrust({
    directory: rootsFolder(io),
    userId: io.userId,
    offline: args.has('offline'),
    now: io.now(),
    ...(mirror === undefined ? {} : { repository: mirrorOf(mirror, args.text('tuf-root')) }),
  });
}

/** @throws {UsageError} for what is no URL that may be fetched */
function mirrorOf(mirror: string, root: string | undefined): TufRepository {
  const url = URL.parse(mirror);
  const isLocal = ['127.0.0.1', 'localhost', '[::1]'].includes(url?.hostname ?? '');
  if (url?.protocol !== 'https:' && !(url?.protocol === 'http:' && isLocal))
    throw new UsageError(
      `--tuf-mirror ${JSON.stringify(mirror)} is no https URL`,
      'such as https://tuf.example (http only on this machine)',
    );
  const repository = repositoryOf(mirror, root);
  if (root === undefined && repository.mirrorUrl !== PUBLIC_MIRROR)
    throw new UsageError(
      'nobody vouches for --tuf-mirror: its root metadata is not known',
      'name it with --tuf-root FILE, as the operator of the instance publishes it',
    );
  return repository;
}

function readKey(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new AttestError('KEY_UNREADABLE', `cannot read key ${JSON.stringify(file)}: ${codeOf(cause)}`, {
      cause,
    });
  }
}

function readRoot(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new AttestError('TRUST_UNREADABLE', `cannot read ${JSON.stringify(file)}: ${codeOf(cause)}`, {
      hint: 'name the trusted root of the Sigstore instance',
      cause,
    });
  }
}
