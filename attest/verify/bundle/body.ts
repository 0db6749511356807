// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, X509Certificate } from 'node:crypto';
import { decodeBase64 } from '../../base64.ts';
import { parseStrict } from '../../json.ts';
import { textOf } from '../shape.ts';
import type { EntryKind, LogEntry } from './entry.ts';

/** Where each kind of entry says who signed. Rekor v1 has PEM in base64 there, v2 the DER in base64. */
const VERIFIERS: Readonly<
  Record<EntryKind, { readonly path: readonly (string | 0)[]; readonly isPem: boolean }>
> = {
  'hashedrekord 0.0.1': { path: ['spec', 'signature', 'publicKey', 'content'], isPem: true },
  'dsse 0.0.1': { path: ['spec', 'signatures', 0, 'verifier'], isPem: true },
  'intoto 0.0.2': { path: ['spec', 'content', 'envelope', 'signatures', 0, 'publicKey'], isPem: true },
  'hashedrekord 0.0.2': { path: ['spec', 'hashedRekordV002', 'signature', 'verifier'], isPem: false },
  'dsse 0.0.2': { path: ['spec', 'dsseV002', 'signatures', 0, 'verifier'], isPem: false },
};

/**
 * Whether the body of a log entry names this certificate, or this key, as who signed. The library compares signature and digest with
 * the body but not the key (cosign CVE-2026-22703).
 * @param signer DER: of the certificate, or of the SubjectPublicKeyInfo
 */
export function isLoggedFor(entry: LogEntry, signer: Uint8Array): boolean {
  const { path, isPem } = VERIFIERS[entry.kind];
  const stated = path.reduce<unknown>(memberOf, parseStrict(entry.body)?.value);
  const bytes = isPem ? derOf(stated) : rawBytesOf(stated);
  return bytes?.equals(signer) === true;
}

const memberOf = (value: unknown, name: string | 0): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;

function rawBytesOf(verifier: unknown): Buffer | undefined {
  const stated = memberOf(verifier, 'x509Certificate') ?? memberOf(verifier, 'publicKey');
  return decodeBase64(textOf(memberOf(stated, 'rawBytes')) ?? '');
}

function derOf(encoded: unknown): Buffer | undefined {
  const pem = decodeBase64(textOf(encoded) ?? '')?.toString('latin1') ?? '';
  try {
    return pem.includes('CERTIFICATE')
      ? new X509Certificate(pem).raw
      : createPublicKey(pem).export({ type: 'spki', format: 'der' });
  } catch {
    return undefined;
  }
}
