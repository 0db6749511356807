// SPDX-License-Identifier: Apache-2.0
import { type TokenIssuer, type TokenVerdict, verifyToken } from '../../attest/tokens/index.ts';
import { oidcOf } from '../../engine/context/oidc.ts';
import type { JsonObject } from '../../engine/manifest/index.ts';
import { WebhookError } from '../error.ts';

/** Whom a server checks sets for. */
export interface CallerRules {
  /** By environment: `any` checks for whoever comes, `verified` for who has a token. */
  readonly environments: ReadonlyMap<string, 'verified' | 'any'>;
  /** Whose tokens are believed. */
  readonly issuers: readonly TokenIssuer[];
}

type Held = Extract<TokenVerdict, { readonly ok: true }>['token'];

/** Who called; of somebody without a token nothing is known. */
export interface Caller {
  readonly token?: Held;
  /** As `input.context.oidc` has it. */
  readonly oidc: readonly JsonObject[];
}

/**
 * Verifies the token of a caller, by the server's own Project. Who has none is told nothing about environments. The token is not
 * used up yet: that is done once the whole request is there. Rejects with {WebhookError} CALLER_REFUSED | REQUEST_ENVIRONMENT;
 * {AttestError} TOKEN_KEYS
 */
export async function callerOf(
  authorization: string | undefined,
  environment: string,
  { environments, issuers }: CallerRules,
  now: Date,
): Promise<Caller> {
  const wanted = environments.get(environment);
  const token = authorization === undefined ? undefined : bearerOf(authorization);
  if (token === undefined && wanted !== 'any') throw refused('an id token is required');
  const caller = token === undefined ? { oidc: [] } : await verified(token, issuers, now);
  if (wanted !== undefined) return caller;
  throw new WebhookError('REQUEST_ENVIRONMENT', 'there is no such environment here', {
    hint: 'environments are those of the Project of the server; those of the caller count for nothing',
  });
}

async function verified(token: string, issuers: readonly TokenIssuer[], now: Date): Promise<Caller> {
  if (issuers.length === 0) throw refused('the Project of the server trusts no issuer of id tokens');
  const verdict = await verifyToken(token, issuers, now);
  if (!verdict.ok) throw refused(verdict.reason);
  return { token: verdict.token, oidc: [oidcOf(verdict.token)] };
}

function bearerOf(authorization: string): string {
  const token = /^Bearer ([\x21-\x7e]+)$/i.exec(authorization)?.[1];
  if (token === undefined) throw refused('the authorization is no bearer token');
  return token;
}

/** A token that does not hold is never the same as none. */
export function refused(why: string): WebhookError<'CALLER_REFUSED'> {
  return new WebhookError('CALLER_REFUSED', `the caller is refused: ${why}`, {
    hint: 'the Project of the server names under issuers whose id tokens are believed, and for which audience',
  });
}
