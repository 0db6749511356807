// SPDX-License-Identifier: Apache-2.0
// A small client of OCI registries: pull.ts and push.ts over one conversation (session.ts: challenge, token, redirects), single requests
// with caps on size and time (http.ts), addresses that are looked at before they are connected to (address.ts), credentials for
// exactly one host (credentials.ts). Nothing it is told is believed before its digest was computed over the bytes that were read.
export type { NetworkRules } from './address.ts';
export { type CredentialsOf, readDockerConfig } from './credentials.ts';
export { type Artefact, BUNDLE_LAYER, type Layer, PULL_LIMITS, pullArtefact } from './pull.ts';
export { type NewLayer, pushArtefact } from './push.ts';
export { type OciReference, parseOciReference } from './reference.ts';
export type { RegistryAccess } from './session.ts';
