// SPDX-License-Identifier: Apache-2.0
import { readDockerConfig } from '../oci/credentials.ts';
import type { RegistryAccess } from '../oci/session.ts';
import { signersFor } from '../trust/signers.ts';
import { NO_SIGSTORE, readSigstoreTrust } from '../trust/sigstore.ts';
import { readTrust } from '../trust/trust.ts';
import type { ImageDigest } from './find.ts';
import { type ImageQuestion, type Proved, proveImage } from './prove.ts';

/** What one environment asks about its images: plain values, which a thread can be handed. */
export interface ProverParts {
  /** A trust file that was parsed, as `readTrust` takes it. */
  readonly trust: unknown;
  readonly environment: string | undefined;
  /** The bytes of a Sigstore trusted root; absent: keys alone are believed. */
  readonly trustedRoot?: Uint8Array;
  /** Until when that may be used (RFC 3339), where it was fetched; then nothing is proved any more. */
  readonly trustedRootExpires?: string;
  readonly requireLog: boolean;
  readonly types: readonly string[];
  /** How registries are reached; the credentials are Docker's `config.json`, as text. */
  readonly access: Omit<RegistryAccess, 'credentials' | 'signal'> & { readonly dockerConfig?: string };
}

/** Proves what is attached to images, by the trust of one environment. */
export interface Prover {
  /** Rejects with {AttestError} REGISTRY_…, also when `signal` ends it. */
  prove(image: ImageDigest, facts: { readonly now: Date; readonly signal: AbortSignal }): Promise<Proved>;
}

/** @throws {AttestError} TRUST_SHAPE | KEY_UNREADABLE (the credentials) */
export function openProver(parts: ProverParts): Prover {
  const { environment, requireLog, types } = parts;
  const { dockerConfig, ...rules } = parts.access;
  const credentials = dockerConfig === undefined ? () => undefined : readDockerConfig(dockerConfig);
  const question: Omit<ImageQuestion, 'now'> = {
    trust: trustOf(parts),
    signers: signersFor(readTrust(parts.trust), { use: 'provenance', environment }),
    types,
    requireLog,
  };
  return {
    prove: (image, { now, signal }) =>
      proveImage(image, { ...question, now }, { ...rules, credentials, signal }),
  };
}

function trustOf({ trustedRoot, trustedRootExpires: until }: ProverParts): ImageQuestion['trust'] {
  const trust = trustedRoot === undefined ? NO_SIGSTORE : readSigstoreTrust(trustedRoot);
  return until === undefined ? trust : { ...trust, expires: new Date(until) };
}
