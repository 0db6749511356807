// SPDX-License-Identifier: Apache-2.0
import type { Args, Flag } from '../args.ts';
import type { Io } from '../io.ts';

/** What every verb that loads policies takes for bundles. */
export const BUNDLE_FLAGS: Readonly<Record<string, Flag>> = {
  'verification-key': {
    value: 'FILE',
    help: 'public key (PEM) or secret: every --policy must then be a bundle whose .signatures.json it signed',
  },
  'verification-key-id': { value: 'ID', help: 'what signatures call that key (default default)' },
  'signing-alg': {
    value: 'ALG',
    help: 'algorithm of that key, such as RS256 (default: follows from the key)',
  },
  scope: { value: 'NAME', help: 'scope that signatures must have' },
  'allow-bundle': {
    value: 'DIGEST',
    multiple: true,
    help: 'sha256:… of a bundle that may be used though it is older than one seen before, or expired',
  },
  lock: { value: 'FILE', help: 'the pins of oci:// references (default countersign.lock)' },
};

/** Flags of a verb that may speak with a registry. */
export const REGISTRY_FLAGS: Readonly<Record<string, Flag>> = {
  'plain-http': { help: 'speak http with a registry on this machine (loopback addresses only)' },
  'allow-private': {
    value: 'HOST',
    multiple: true,
    help: 'registry that may have a private address',
  },
};

/** What was asked for, before any file of it is read. */
export interface BundleSettings {
  readonly verificationKey?: string;
  readonly keyId: string;
  readonly algorithm?: string;
  readonly scope?: string;
  readonly allowed: readonly string[];
  readonly lock: string;
  readonly plainHttp: boolean;
  readonly privateHosts: readonly string[];
  readonly io: Io;
}

/** The settings of a command line. */
export function bundleSettings(args: Args, io: Io): BundleSettings {
  const [verificationKey, algorithm, scope] = ['verification-key', 'signing-alg', 'scope'].map((name) =>
    args.text(name),
  );
  return {
    ...(verificationKey === undefined ? {} : { verificationKey }),
    ...(algorithm === undefined ? {} : { algorithm }),
    ...(scope === undefined ? {} : { scope }),
    keyId: args.text('verification-key-id') ?? 'default',
    allowed: args.list('allow-bundle'),
    lock: args.text('lock') ?? 'countersign.lock',
    plainHttp: args.has('plain-http'),
    privateHosts: args.list('allow-private'),
    io,
  };
}
