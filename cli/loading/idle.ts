// SPDX-License-Identifier: Apache-2.0
// Flags that would have no effect, where that hangs on more than other flags (those stand in each verb's own list as `needs`).
import type { Project } from '../../engine/context/project.ts';
import type { Args } from '../args.ts';
import { type BundleSettings, bundleSettings } from '../bundles/flags.ts';
import { policyTrust } from '../bundles/trust.ts';
import { UsageError } from '../exit.ts';
import type { Io } from '../io.ts';
import { namespacesOf } from './namespaces.ts';

/** The Project of a run, with its folder, and the environment that was chosen. */
export interface Scope {
  readonly found: { readonly project: Project; readonly directory: string } | undefined;
  readonly environment: string | undefined;
}

/**
 * Refuses flags about policies where there is none that they reach.
 * @throws {UsageError}
 */
export function refuseIdleFlags(args: Args, io: Io, { found, environment }: Scope): void {
  namespacesOf(args); // says what is malformed before anything is loaded
  const policies = found?.project.policies ?? [];
  const references = [...args.list('policy'), ...policies.map(({ path }) => path)];
  const asking = found?.project.environments.some(
    ({ name, attestations }) => attestations !== undefined && (environment ?? name) === name,
  );
  const more = { settings: () => bundleSettings(args, io, found), speaks: asking === true };
  refuseIdleBundleFlags(args, references, more);
  // In an environment the engine says more exactly whose data they are not.
  const isJudgedByPack = found === undefined || found.project.environments.length === 0;
  if (args.has('data') && references.length === 0 && isJudgedByPack && environment === undefined)
    throw new UsageError(
      '--data needs --policy: the shipped packs read no data',
      'name policies, or leave it out',
    );
}

/**
 * Refuses flags about rules of a server whose Project has no environment that would have rules.
 * @throws {UsageError}
 */
export function refuseWithoutEnvironments(args: Args, found: Scope['found']): void {
  if (found === undefined || found.project.environments.length > 0) return;
  const idle = ['policy', 'parameters', 'data', 'strict-errors'].find((flag) => args.has(flag));
  if (idle === undefined) return;
  throw new UsageError(
    `--${idle} has no effect: the Project declares no environments`,
    'declare one; without, every request is answered as unmapped says',
  );
}

/** What else such flags may reach. */
export interface Reach {
  /** Asked only where such a flag is given. */
  readonly settings: () => BundleSettings;
  /** Whether registries are spoken with for attestations. */
  readonly speaks: boolean;
}

const isRemote = (reference: string): boolean => reference.startsWith('oci://');
const isArchive = (reference: string): boolean =>
  isRemote(reference) || /\.(?:tar\.gz|tgz)$/i.test(reference);

/**
 * Refuses flags about bundles where no bundle is among the policies: somebody would take them for verified.
 * @throws {UsageError}
 */
export function refuseIdleBundleFlags(
  args: Args,
  references: readonly string[],
  { settings, speaks }: Reach,
): void {
  const demand = (flags: readonly string[], isReached: boolean, what: string): void => {
    const idle = flags.find((flag) => args.has(flag));
    if (idle === undefined || isReached) return;
    throw new UsageError(
      `--${idle} has no effect: ${what}`,
      'leave it out, or name the policies that it is about',
    );
  };
  demand(['verification-key'], references.length > 0, 'no policy is named that the key could verify');
  demand(['trust', 'lock', 'allow-bundle'], references.some(isArchive), 'no policy is an archive or oci://…');
  demand(['plain-http', 'allow-private'], speaks || references.some(isRemote), 'no policy is oci://…');
  demand(['follow'], references.some(isRemote), 'no policy is oci://…');
  // What was seen before counts for releases alone, and for what a tag stands for.
  const ofReleases = ['allow-bundle', 'follow', ...(references.some(isRemote) ? [] : ['lock'])];
  if (!ofReleases.some((flag) => args.has(flag))) return;
  demand(ofReleases, policyTrust(settings()) !== undefined, 'no key is trusted for policy');
}
