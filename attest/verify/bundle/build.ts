// SPDX-License-Identifier: Apache-2.0
// What a certificate authority says of the build whose job asked for a certificate: from the claims of the job's token, which the
// authority verified, and so from the forge and not from whoever wrote the build.
import { refuse } from '../refusal.ts';
import { type Extension, only } from './certificate.ts';
import { readDer, UTF8_STRING } from './der.ts';

/** Extensions of Fulcio by the last arc of their object identifiers. @see https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md */
const MEMBERS = {
  buildSignerUri: 9,
  buildSignerDigest: 10,
  runnerEnvironment: 11,
  sourceRepositoryUri: 12,
  sourceRepositoryDigest: 13,
  sourceRepositoryRef: 14,
  sourceRepositoryIdentifier: 15,
  sourceRepositoryOwnerUri: 16,
  sourceRepositoryOwnerIdentifier: 17,
  buildConfigUri: 18,
  buildConfigDigest: 19,
  buildTrigger: 20,
  runInvocationUri: 21,
  sourceRepositoryVisibility: 22,
  deploymentEnvironment: 23,
} as const satisfies Readonly<Record<string, number>>;

/** What the certificate says of the build, under the names that Fulcio has for it; what it does not say is absent. */
export type CertifiedBuild = Readonly<Partial<Record<keyof typeof MEMBERS, string>>>;

const ARC = '1.3.6.1.4.1.57264.1.';

/** Undefined where it says nothing of a build, as of a person. One that is there twice, or is no text, makes the certificate invalid. */
export function buildOf(extensions: readonly Extension[]): CertifiedBuild | undefined {
  const build = Object.entries(MEMBERS).flatMap(([member, arc]) => {
    const text = textAt(extensions, `${ARC}${arc}`);
    return text === undefined ? [] : [[member, text] as const];
  });
  return build.length === 0 ? undefined : Object.fromEntries(build);
}

/** An empty text says nothing. */
function textAt(extensions: readonly Extension[], oid: string): string | undefined {
  const bytes = only(extensions, oid);
  if (bytes === undefined) return undefined;
  const value = readDer(bytes);
  const text = value?.content.toString('utf8') ?? '';
  const isText = value?.tag === UTF8_STRING && Buffer.from(text, 'utf8').equals(value.content);
  // An environment may have a space in its name; a line break is somebody's trick.
  if (!isText || /[\p{C}\p{Zl}\p{Zp}]/u.test(text))
    refuse('CERTIFICATE', 'the certificate says of its build what is no readable text');
  return text === '' ? undefined : text;
}
