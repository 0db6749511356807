// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { Project } from '../../engine/context/project.ts';
import type { Lock } from '../../engine/policy/release/index.ts';
import { type Args, type Flags, needing } from '../args.ts';
import type { Io } from '../io.ts';

/** Of a signature in a bundle, whether it is verified or made. */
export const SIGNATURE_FLAGS: Flags = {
  'verification-key-id': {
    value: 'ID',
    help: 'what signatures call that key (default default)',
  },
  'signing-alg': {
    value: 'ALG',
    help: 'algorithm of that key, such as RS256 (default: follows from the key)',
  },
  scope: { value: 'NAME', help: 'scope that signatures must have' },
};

/** What every verb that loads policies takes for bundles. */
export const BUNDLE_FLAGS: Flags = {
  'verification-key': {
    value: 'FILE',
    help: 'public key (PEM) or secret: every --policy must then be a bundle whose .signatures.json it signed',
  },
  ...needing(['verification-key'], SIGNATURE_FLAGS),
  'allow-bundle': {
    value: 'DIGEST',
    multiple: true,
    help: 'sha256:… of a bundle that may be used though it is older than one seen before, or expired',
  },
  lock: {
    value: 'FILE',
    help: 'digests of oci:// references and versions seen (default countersign.lock, beside the Project)',
  },
  trust: {
    value: 'FILE',
    help: 'trust file: every archive must then be a release signed by one of its keys for policy',
  },
};

/** Flags of a verb that may speak with a registry. */
export const REGISTRY_FLAGS: Flags = {
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
  /** What the Project says of registries; files in it are found from the working folder. */
  readonly registries?: Project['registries'];
  readonly trustFile?: string;
  /** What the Project says; its keys for `policy` make a release mandatory. */
  readonly projectTrust?: Project['trust'];
  readonly environment?: string;
  /** Takes what a tag stands for now, where a release proves it. */
  readonly follow?: boolean;
  /** What a server remembers besides the lock file. */
  readonly memory?: Lock;
  readonly io: Io;
}

/** The settings of a command line, and of its Project where there is one. */
export function bundleSettings(
  args: Args,
  io: Io,
  found?: { readonly project: Project; readonly directory: string },
): BundleSettings {
  const text = (name: string, key: string): Record<string, string> => {
    const value = args.text(name);
    return value === undefined ? {} : { [key]: value };
  };
  return {
    ...text('verification-key', 'verificationKey'),
    ...text('signing-alg', 'algorithm'),
    ...text('scope', 'scope'),
    ...text('trust', 'trustFile'),
    ...text('env', 'environment'),
    ...(found?.project.trust === undefined ? {} : { projectTrust: found.project.trust }),
    ...(found?.project.registries === undefined ? {} : { registries: found.project.registries }),
    keyId: args.text('verification-key-id') ?? 'default',
    allowed: args.list('allow-bundle'),
    lock: args.text('lock') ?? join(found?.directory ?? '', 'countersign.lock'),
    plainHttp: args.has('plain-http'),
    privateHosts: args.list('allow-private'),
    io,
  };
}
