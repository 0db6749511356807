// SPDX-License-Identifier: Apache-2.0
// OIDC id tokens of jobs and people. token.ts is the straight line: compact.ts reads what a sender wrote, keyring.ts has the keys of an
// issuer (keys.ts, a file or a URL), jws.ts verifies with one of them, and only then what the token says counts (norm.ts gives
// GitLab's and GitHub's claims one form). once.ts remembers what was used.
export { MAX_TOKEN_CHARACTERS, TOKEN_ALGORITHMS, type TokenAlgorithm } from './compact.ts';
export {
  fetchedKeyring,
  fetchJwks,
  fixedKeyring,
  KEYRING_TIMES,
  type Keyring,
  type KeyringTimes,
} from './keyring.ts';
export type { JobFacts } from './norm.ts';
export { memoryUses, type TokenUses, useOnce } from './once.ts';
export type { TokenRefusalCode } from './refusal.ts';
export {
  type IssuerKind,
  TOKEN_SKEW_MS,
  type TokenIssuer,
  type TokenVerdict,
  type VerifiedToken,
  verifyToken,
} from './token.ts';
