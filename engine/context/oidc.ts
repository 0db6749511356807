// SPDX-License-Identifier: Apache-2.0
import type { VerifiedToken } from '../../attest/tokens/index.ts';
import type { JsonObject, JsonValue } from '../manifest/document.ts';

/** What a verified token is in `input.context.oidc`. What the issuer did not say is absent. */
export function oidcOf(token: VerifiedToken): JsonObject {
  const { facts, id } = token;
  return {
    issuer: token.issuer,
    provider: token.kind === 'generic' ? 'other' : token.kind,
    subject: token.subject,
    audience: [token.audience],
    issuedAt: token.issuedAt,
    expiresAt: token.expiresAt,
    ...(id === undefined ? {} : { jti: id }),
    kid: token.keyId,
    alg: token.algorithm,
    digest: token.digest,
    trust: 'verified',
    claims: plain(token.claims),
    ...(facts === undefined ? {} : { norm: plain(facts) }),
  };
}

/** As JSON: the claims were JSON when they were signed, and their numbers are exact. */
function plain(value: object): JsonValue {
  const copy: JsonValue = JSON.parse(JSON.stringify(value));
  return copy;
}
