// SPDX-License-Identifier: Apache-2.0
// Signing by the organisation's login, without keys (the idea of OpenPubkey): `flow` gets an id token whose nonce is the digest of the
// statement, `evidence` is both together and how they are verified years later by stored keys. `provider` is the only one that
// asks the network, and only where the Project says.
export { isLogin, type LoginVerdict, loginEvidence, nonceOf, verifyLogin } from './evidence.ts';
export {
  type BrowserParts,
  type DeviceParts,
  logInByBrowser,
  logInByDevice,
  type Redirected,
} from './flow.ts';
export { fetchKeys, findProvider, type Provider, type ProviderSettings } from './provider.ts';
