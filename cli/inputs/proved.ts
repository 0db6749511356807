// SPDX-License-Identifier: Apache-2.0
// What others proved, as far as it is asked for: id tokens of whoever runs this, and claims about the images. Loaded when it is.
import type { Environment, Project } from '../../engine/context/project.ts';
import type { Change } from '../../engine/index.ts';
import type { Document } from '../../engine/manifest/index.ts';
import type { Args } from '../args.ts';
import type { BundleSettings } from '../bundles/flags.ts';
import type { Io } from '../io.ts';
import type { FoundClaims } from '../loading/attestations.ts';
import { withProgress } from '../report/progress.ts';

/** Verified before anything else, and once: a token lives for minutes. */
export async function tokensOf(
  args: Args,
  project: Project | undefined,
  io: Io,
): Promise<Pick<Change, 'oidc'>> {
  if (!args.has('id-token')) return {};
  return (await import('./tokens.ts')).readTokens(args.list('id-token'), project, io);
}

/** What is proved about the images, where the environment asks for it: absent otherwise, and nothing of it is loaded. */
export async function claimsFor(
  documents: readonly Document[],
  {
    environment,
    bundles,
  }: { readonly environment: Environment | undefined; readonly bundles: BundleSettings },
  io: Io,
): Promise<FoundClaims | undefined> {
  const { name = '', attestations } = environment ?? {};
  if (attestations === undefined) return undefined;
  return withProgress(io, 'fetching attestations', async () => {
    const { fetchClaims } = await import('../loading/attestations.ts');
    return fetchClaims(documents, { name, attestations }, bundles);
  });
}

/** Of whom a decision believed something: of nobody where there are no claims, no tokens and nothing that people signed. */
export async function trustFor(
  project: Project | undefined,
  known: {
    readonly claims: FoundClaims | undefined;
    readonly oidc?: Change['oidc'];
    readonly people: unknown;
  },
): Promise<Pick<Change, 'trustDigest'>> {
  const { claims, oidc, people } = known;
  const isBelieved = claims !== undefined || oidc !== undefined || people !== undefined;
  if (project === undefined || !isBelieved) return {};
  const { trustDigest } = await import('../../engine/context/trust.ts');
  return { trustDigest: trustDigest(project, claims?.trustedRoot) };
}
