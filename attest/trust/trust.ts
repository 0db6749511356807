// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, hash, type KeyObject } from 'node:crypto';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { AttestError } from '../error.ts';
import schema from './trust.schema.json' with { type: 'json' };

/** What a named key may sign. */
export type KeyUse = 'record' | 'approval' | 'provenance' | 'policy';

/** One key that the reader trusts: for what, where, and when. Times are RFC 3339. */
export interface TrustedKey {
  readonly name: string;
  readonly uses: readonly KeyUse[];
  /** Environments by name; `*` is all of them, and must be written. */
  readonly environments: readonly string[];
  readonly publicKey: string;
  readonly notBefore?: string;
  readonly notAfter?: string;
  readonly revokedAt?: string;
}

/** A trusted key as verification needs it. */
export interface LoadedKey extends TrustedKey {
  readonly key: KeyObject;
  readonly der: Buffer;
  /** Base64 SHA-256 of the SPKI DER. */
  readonly id: string;
}

/** One log that the reader trusts. */
export interface TrustedLog {
  readonly origin: string;
  /** Base64 id. */
  readonly id: string;
  readonly key: KeyObject;
}

/** The keys and logs that a reader trusts. */
export interface Trust {
  readonly keys: readonly LoadedKey[];
  readonly logs: readonly TrustedLog[];
}

interface Stated {
  readonly keys: readonly TrustedKey[];
  readonly logs: readonly {
    readonly tlogs: readonly {
      readonly baseUrl: string;
      readonly publicKey: { readonly rawBytes: string };
      readonly logId: { readonly keyId: string };
    }[];
  }[];
}

/**
 * Reads a trust file (`kind: Trust`). Unknown keys, a key without uses or environments, and a log without a start of validity are
 * errors: nothing weakens by absence.
 * @throws {AttestError} TRUST_SHAPE
 */
export function readTrust(value: unknown): Trust {
  const validate = new Ajv2020({ allErrors: true, strict: false, validateFormats: false }).compile(schema);
  if (!validate(value) || !isStated(value)) {
    const faults = (validate.errors ?? []).map(
      (error) => `${error.instancePath || '/'} ${error.message ?? ''}`,
    );
    throw shape(`the trust file is malformed: ${faults.slice(0, 5).join('; ')}`);
  }
  const names = new Set(value.keys.map((key) => key.name));
  if (names.size !== value.keys.length) throw shape('the trust file names two keys alike');
  return { keys: value.keys.map(loadKey), logs: value.logs.flatMap((root) => root.tlogs.map(loadLog)) };
}

// The schema has said everything about the shape; this only tells the compiler.
const isStated = (value: unknown): value is Stated => typeof value === 'object' && value !== null;

const shape = (message: string, cause?: unknown): AttestError =>
  new AttestError('TRUST_SHAPE', message, { cause, hint: 'docs/records.md shows a trust file' });

function loadKey(stated: TrustedKey): LoadedKey {
  const times = [stated.notBefore, stated.notAfter, stated.revokedAt];
  if (times.some((time) => time !== undefined && !Number.isFinite(Date.parse(time))))
    throw shape(`key ${JSON.stringify(stated.name)} has a date that is none`);
  try {
    const key = createPublicKey(stated.publicKey);
    if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error('not ECDSA P-256');
    const der = key.export({ type: 'spki', format: 'der' });
    return { ...stated, key, der, id: hash('sha256', der, 'base64') };
  } catch (cause) {
    throw shape(`key ${JSON.stringify(stated.name)} is no ECDSA P-256 public key`, cause);
  }
}

function loadLog(stated: Stated['logs'][number]['tlogs'][number]): TrustedLog {
  try {
    const key = createPublicKey({
      key: Buffer.from(stated.publicKey.rawBytes, 'base64'),
      format: 'der',
      type: 'spki',
    });
    if (key.asymmetricKeyType !== 'ed25519') throw new Error('not Ed25519');
    return { origin: new URL(stated.baseUrl).host, id: stated.logId.keyId, key };
  } catch (cause) {
    throw shape(`log ${JSON.stringify(stated.baseUrl)} has no Ed25519 key`, cause);
  }
}
