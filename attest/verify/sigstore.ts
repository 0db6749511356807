// SPDX-License-Identifier: Apache-2.0
// The one file that knows Sigstore's library. It is loaded by the first verification (20 ms), so that what only signs never does.
//
// The library checks the signature, that an entry's body names this signature and these bytes, the checkpoint's signature and the
// inclusion proof, and refuses the same entry twice. It does not do the following, which ours do on top: it takes JSON with
// duplicate keys and any base64 (json.ts, base64.ts); it ignores the public key of a hashedrekord body (entry.ts compares the
// whole body); it takes a checkpoint whose signer's name is any part of the log's URL, never looks at its origin, nor at the
// proof's own root and size (shape.ts, entry.ts); it asks for a log's or a key's validity only at times that a bundle claims.

import type { KeyObject } from 'node:crypto';
import { createRequire } from 'node:module';
import { bundleOf } from '../ledger/bundle.ts';
import type { LoadedKey, TrustedLog } from '../trust/trust.ts';
import type { RefusalCode } from './refusal.ts';
import type { BundleShape } from './shape.ts';

// Both are CommonJS; a dynamic import would make verifying asynchronous for everybody.
const load = createRequire(import.meta.url);

/** A bundle as the library sees it: made from the parts that we have read, so that both look at the same thing. */
export interface Entity {
  isSignedBy(key: KeyObject): boolean;
  /** Verifies signature, bodies, checkpoints and proofs; the code of what does not hold, or undefined where all does. */
  refusal(key: LoadedKey, logs: readonly TrustedLog[]): RefusalCode | undefined;
}

const CODES: Readonly<Record<string, RefusalCode>> = {
  SIGNATURE_ERROR: 'SIGNATURE',
  TLOG_BODY_ERROR: 'LOG_ENTRY',
};

/** Hands a bundle to the library; undefined where it cannot read it. */
export function entityOf(bundle: BundleShape): Entity | undefined {
  const { Verifier, VerificationError, toSignedEntity }: typeof import('@sigstore/verify') =
    load('@sigstore/verify');
  const { bundleFromJSON }: typeof import('@sigstore/bundle') = load('@sigstore/bundle');
  const entity = attempt(() => toSignedEntity(bundleFromJSON(serialized(bundle))));
  if (entity === undefined) return undefined;
  return {
    isSignedBy: (key) => entity.signature.verifySignature(key),
    refusal: (key, logs) => {
      try {
        new Verifier(materialOf(key, logs), {
          tlogThreshold: 1,
          ctlogThreshold: 0,
          timestampThreshold: 0,
        }).verify(entity);
        return undefined;
      } catch (error) {
        // Whatever it throws, the record does not hold.
        return (error instanceof VerificationError ? CODES[error.code] : undefined) ?? 'LOG_PROOF';
      }
    },
  };
}

function materialOf(key: LoadedKey, logs: readonly TrustedLog[]) {
  return {
    certificateAuthorities: [],
    timestampAuthorities: [],
    ctlogs: [],
    tlogs: logs.map((log) => ({
      logID: Buffer.from(log.id, 'base64'),
      baseURL: `https://${log.origin}`,
      publicKey: log.key,
      validFor: { start: new Date(0), end: new Date(8_640_000_000_000_000) },
    })),
    publicKey: () => ({ publicKey: key.key, validFor: () => true }),
  };
}

function serialized(bundle: BundleShape): unknown {
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  const [first] = bundle.entries;
  if (first === undefined) return undefined;
  const envelope = {
    payload: base64(bundle.payload),
    payloadType: bundle.payloadType,
    signatures: [{ sig: base64(bundle.signature) }],
  } as const;
  const whole = bundle.entries.map(({ body, index, logId, checkpoint, hashes }) =>
    bundleOf({
      envelope,
      publicKeyDer: Buffer.alloc(0),
      body,
      index,
      logId: Buffer.from(logId, 'base64'),
      checkpoint,
      hashes,
    }),
  );
  const [one] = whole;
  return {
    ...one,
    verificationMaterial: {
      publicKey: { hint: bundle.hint },
      tlogEntries: whole.flatMap((each) => each.verificationMaterial.tlogEntries),
    },
  };
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
