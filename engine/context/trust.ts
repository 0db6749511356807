// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { canonicalText } from '../record/canonical.ts';
import type { Project, ProjectIssuer } from './project.ts';

/**
 * The trust digest: SHA-256 (hex) of the canonical JSON (RFC 8785) of whom a decision believed: the Project's `trust`, `issuers` and
 * `login` as they are stated, and `trustedRoot`, the digest (`sha256:<hex>`) of the Sigstore trusted root that was in force. What is
 * not there is absent. The Project's own digest holds the first three as well; the root is a file, or was fetched.
 */
export function trustDigest(
  { trust, issuers, login }: Pick<Project, 'trust' | 'issuers' | 'login'>,
  trustedRoot?: string,
): string {
  const whom = {
    ...(trust === undefined ? {} : { trust }),
    ...(issuers === undefined ? {} : { issuers: issuers.map(withoutPath) }),
    ...(login === undefined ? {} : { login }),
    ...(trustedRoot === undefined ? {} : { trustedRoot }),
  };
  return hash('sha256', canonicalText(JSON.parse(JSON.stringify(whom))), 'hex');
}

/** Where a file of keys lies depends on the folder that one is in; which key it was, the evidence says. */
function withoutPath({ jwks, ...issuer }: ProjectIssuer): object {
  return 'file' in jwks ? issuer : { ...issuer, jwks };
}
