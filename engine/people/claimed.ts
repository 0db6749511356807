// SPDX-License-Identifier: Apache-2.0
import { decodeAnyBase64 } from '../../attest/base64.ts';
import { parseStrict } from '../../attest/json.ts';
import type { KeyUse } from '../../attest/trust/index.ts';
import { kindOf, type StatementKind, statementId } from './statement.ts';

/** What an envelope says that it holds; nothing of it is proved. */
export interface Claimed {
  readonly kind: StatementKind;
  readonly environment: string;
  readonly payload: Uint8Array;
  readonly predicate: unknown;
  /** Hex SHA-256 of its one subject. */
  readonly subject: unknown;
}

/** Without them more would be allowed. */
export const HOLDING: ReadonlySet<StatementKind> = new Set(['release-lock', 'revocation']);
/** Roles of approvals that are about another statement, and not about a set of objects. */
const ROLE_USES: Readonly<Record<string, KeyUse>> = {
  waiver: 'waiver',
  review: 'break-glass',
  lock: 'lock',
};
const KIND_USES = {
  approval: 'approval',
  waiver: 'waiver',
  'break-glass': 'break-glass',
  'release-lock': 'lock',
} as const satisfies Record<Exclude<StatementKind, 'revocation'>, KeyUse>;

/** What a key must be trusted for to sign this. */
export function useOf(kind: Exclude<StatementKind, 'revocation'>, predicate: unknown): KeyUse {
  const role = kind === 'approval' ? field(predicate, 'role') : undefined;
  return typeof role === 'string' && Object.hasOwn(ROLE_USES, role)
    ? (ROLE_USES[role] ?? KIND_USES[kind])
    : KIND_USES[kind];
}

/**
 * What a key must be trusted for to take back what each of these files says that it is, by id. The id is of the very bytes, so it
 * does not matter who signed them.
 */
export function usesOf(files: readonly { readonly bytes: Uint8Array }[]): ReadonlyMap<string, KeyUse> {
  const uses = new Map<string, KeyUse>();
  for (const { bytes } of files) {
    const claimed = claimedBy(bytes);
    if (claimed !== undefined && claimed.kind !== 'revocation')
      uses.set(statementId(claimed.payload), useOf(claimed.kind, claimed.predicate));
  }
  return uses;
}

/**
 * A revocation is signed by whoever may sign such a statement, first of all of the use that is its own. Of an approval of another
 * statement that is not the use of approvals, which does as well: it can only hold back, and older revocations were signed so.
 */
export function usesToRevoke(
  { predicate, subject }: Claimed,
  uses: ReadonlyMap<string, KeyUse> | undefined,
): readonly KeyUse[] {
  const revoked = kindOf(String(field(predicate, 'statementType')));
  if (revoked === undefined || revoked === 'revocation' || HOLDING.has(revoked)) return [];
  const use = uses?.get(String(subject));
  if (use !== undefined) return [...new Set(revoked === 'approval' ? [use, 'approval' as const] : [use])];
  return revoked === 'approval' ? ['approval', ...Object.values(ROLE_USES)] : [KIND_USES[revoked]];
}

/** What a DSSE envelope says, its signature unseen; undefined where it is no statement of a kind that is known. */
export function claimedBy(bytes: Uint8Array): Claimed | undefined {
  const envelope = parseStrict(bytes)?.value;
  const encoded = field(envelope, 'payload');
  const payload = typeof encoded === 'string' ? decodeAnyBase64(encoded) : undefined;
  if (payload === undefined) return undefined;
  const statement = parseStrict(payload)?.value;
  const kind = kindOf(String(field(statement, 'predicateType')));
  const predicate = field(statement, 'predicate');
  const environment = field(predicate, 'environment');
  if (kind === undefined || typeof environment !== 'string') return undefined;
  const [about]: readonly unknown[] = [field(statement, 'subject')].flat();
  return { kind, environment, payload, predicate, subject: field(field(about, 'digest'), 'sha256') };
}

/** A member of what may be an object. */
export const field = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? Reflect.get(value, key)
    : undefined;
