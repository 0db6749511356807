// SPDX-License-Identifier: Apache-2.0
// Where a Project takes approvals from that nobody signed.
import { type JsonValue, member, textMember } from '../manifest/index.ts';

/** How an approval was given there. */
export type ForgeVia = 'merge-request' | 'pull-request' | 'deployment' | 'run';

/** One GitLab or GitHub. */
export interface Forge {
  readonly name: string;
  readonly kind: 'gitlab' | 'github';
  /** The root of its API. */
  readonly api: string;
  /** Under which people have their number there among their identities. */
  readonly issuer: string;
}

/** Which imported approvals a rule accepts. */
export interface ImportRule {
  readonly forge: string;
  readonly project: string;
  readonly via: readonly ForgeVia[];
  /** Of a deployment or run, there; by default the name of the environment here. */
  readonly environment?: string;
  /** From the import on; 8 where it is not stated. */
  readonly longestHours?: number;
}

/** Whose ways are whose. */
export const FORGE_WAYS = {
  gitlab: ['merge-request', 'deployment'],
  github: ['pull-request', 'run'],
} as const satisfies Record<Forge['kind'], readonly ForgeVia[]>;

/** For how long an import counts where nothing is stated. */
export const DEFAULT_IMPORT_HOURS = 8;

interface Stated {
  readonly forges?: readonly Forge[];
  readonly people?: readonly { readonly keys?: readonly string[] }[];
  readonly trust?: { readonly keys?: readonly JsonValue[] };
  readonly environments?: readonly {
    readonly approvals?: readonly { readonly imported?: ImportRule }[];
  }[];
}

/** What is wrong, and where. */
export function forgeFaults({
  forges = [],
  people = [],
  trust,
  environments = [],
}: Stated): readonly { readonly message: string; readonly pointer: string }[] {
  const names = forges.map(({ name }) => name);
  const twice = names.flatMap((name, index) =>
    names.indexOf(name) === index
      ? []
      : [{ message: `forge ${JSON.stringify(name)} is declared twice`, pointer: `/forges/${index}/name` }],
  );
  const rules = environments.flatMap(({ approvals = [] }, index) =>
    approvals.flatMap(({ imported }, at) =>
      imported === undefined
        ? []
        : ruleFaults(imported, forges, `/environments/${index}/approvals/${at}/imported`),
    ),
  );
  // Whoever holds that key says what others approved: it must be nobody who could need an approval.
  const importing = new Set((trust?.keys ?? []).flatMap(importKey));
  const owned = people.flatMap(({ keys = [] }, index) =>
    keys.flatMap((key, at) =>
      importing.has(key)
        ? [
            {
              message: `key ${JSON.stringify(key)} imports approvals, so it is no person's`,
              pointer: `/people/${index}/keys/${at}`,
            },
          ]
        : [],
    ),
  );
  return [...twice, ...rules, ...owned];
}

function importKey(key: JsonValue): readonly string[] {
  const uses = member(key, 'uses');
  const name = textMember(key, 'name');
  return name !== undefined && Array.isArray(uses) && uses.includes('import') ? [name] : [];
}

function ruleFaults(
  { forge: name, via }: ImportRule,
  forges: readonly Forge[],
  pointer: string,
): readonly { readonly message: string; readonly pointer: string }[] {
  const forge = forges.find((one) => one.name === name);
  if (forge === undefined)
    return [{ message: `no forge ${JSON.stringify(name)} is declared`, pointer: `${pointer}/forge` }];
  const ways: readonly ForgeVia[] = FORGE_WAYS[forge.kind];
  const at = via.findIndex((one) => !ways.includes(one));
  return at < 0
    ? []
    : [{ message: `${forge.kind} knows no ${JSON.stringify(via[at])}`, pointer: `${pointer}/via/${at}` }];
}
