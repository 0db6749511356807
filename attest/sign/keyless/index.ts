// SPDX-License-Identifier: Apache-2.0
// Signing without a key of one's own: an id token (token.ts) is exchanged for a certificate of a key that is made for this one run
// (fulcio.ts), and since both end within minutes a log or a timestamp authority says when it was (witness.ts, with Sigstore's library).
export { certify } from './fulcio.ts';
export { ambientToken, type Environment, type IdentityToken, readToken } from './token.ts';
export { type Witnesses, witnessed } from './witness.ts';
