// SPDX-License-Identifier: Apache-2.0
// What a decision rested on, as its record names it: statements and tokens by their digests, never their content, which may be large
// or private. Whoever keeps the attestation can find it again; whoever changed it since cannot hide that.
import type { Change } from './change.ts';
import type { JsonObject, JsonValue } from './manifest/index.ts';
import { canonicalText } from './record/canonical.ts';

/** The parts of a record about evidence, for its predicate; none where nothing was looked for. */
export interface EvidencePart {
  readonly evidence?: JsonValue;
  readonly omittedEvidence?: JsonValue;
}

/**
 * Names what was proved, each once and in one order. Of the statements of one type the first `most`, the others are counted; tokens
 * are few, and all are named.
 */
export function evidenceOf({ claims, oidc }: Pick<Change, 'claims' | 'oidc'>, most: number): EvidencePart {
  if (claims === undefined && oidc === undefined) return {};
  const texts = [...(claims ?? new Map()).values()].flat();
  const statements = inOrder(texts.map((text) => statementOf(JSON.parse(text))));
  const counts = new Map<string, number>();
  const listed = statements.filter((statement) => {
    const type = String(statement['predicateType']);
    const count = counts.get(type) ?? 0;
    counts.set(type, count + 1);
    return count < most;
  });
  const omitted = [...counts].flatMap(([predicateType, count]) =>
    count > most ? [{ predicateType, count: count - most }] : [],
  );
  return {
    evidence: [...listed, ...inOrder((oidc ?? []).map(tokenOf))],
    ...(omitted.length === 0 ? {} : { omittedEvidence: omitted }),
  };
}

const inOrder = (items: readonly JsonObject[]): readonly JsonObject[] =>
  [...new Map(items.map((item) => [canonicalText(item), item])).entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, item]) => item);

/** A claim is text that we made (`readClaim`). */
function statementOf(claim: JsonObject): JsonObject {
  return {
    subject: sha256(claim['subject']),
    ...some(claim, ['predicateType', 'at']),
    digest: sha256(claim['digest']),
    signer: some(Object(claim['signer']), ['kind', 'name', 'issuer', 'identity', 'keyId']),
  };
}

const tokenOf = (token: JsonObject): JsonObject => ({
  token: some(token, ['issuer', 'subject', 'audience', 'jti', 'kid', 'issuedAt', 'expiresAt']),
  digest: sha256(token['digest']),
});

const some = (value: JsonObject, names: readonly string[]): JsonObject =>
  Object.fromEntries(
    names.flatMap((name) => (Object.hasOwn(value, name) ? [[name, value[name] ?? null]] : [])),
  );

/** `sha256:<hex>` as in-toto writes it. */
const sha256 = (digest: JsonValue | undefined): JsonObject => ({
  sha256: String(digest).slice('sha256:'.length),
});
