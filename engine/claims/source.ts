// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../manifest/document.ts';
import { at, known, listAt, textAt } from './member.ts';

/** Where something was built from, in one spelling for all builders. */
export interface BuildSource {
  /** The repository without `git+`, `.git`, ref and folder: `https://github.com/shop/web`. */
  readonly uri: string;
  /** As stated: `refs/heads/main`, where it was stated whole. */
  readonly ref?: string;
  /** 40 or 64 hexadecimal digits. */
  readonly commit?: string;
}

const URI =
  /^(?:git\+)?([a-z][a-z0-9+.-]*:\/\/[^/?#@\s]+\/[^@?#\s]+?)(?:\.git)?\/?(?:@([^#\s]+)|#([^:\s]+)(?::.*)?)?$/;

/**
 * Reads `git+https://host/path@refs/heads/main` as SLSA writes it and `https://host/path.git#refs/tags/v1:folder` as BuildKit does.
 * A branch may have an `@` in its name, a repository may not: the first one counts. Undefined for what is no repository.
 */
export function readSourceUri(text: string | undefined): BuildSource | undefined {
  const match = text === undefined ? null : URI.exec(text);
  const uri = match?.[1];
  if (uri === undefined) return undefined;
  const ref = match?.[2] ?? match?.[3];
  return { uri, ...(ref === undefined ? {} : { ref }) };
}

/** A commit in what a builder calls it: GitLab's runner puts 40 digits under `sha256`. */
export function commitOf(digest: unknown): string | undefined {
  return ['gitCommit', 'sha1', 'sha256']
    .map((name) => textAt(digest, name)?.toLowerCase())
    .find((text) => text !== undefined && /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text));
}

const isSame = (a: BuildSource, b: BuildSource): boolean =>
  a.uri === b.uri && (a.ref === undefined || b.ref === undefined || a.ref === b.ref);

/** The commit among the materials of this very repository and ref; none where they name several. */
function commitAmong(materials: readonly unknown[], source: BuildSource): string | undefined {
  const commits = materials.flatMap((material) => {
    const found = readSourceUri(textAt(material, 'uri'));
    const commit = commitOf(at(material, 'digest'));
    return found !== undefined && commit !== undefined && isSame(found, source) ? [commit] : [];
  });
  const [first] = commits;
  return commits.every((commit) => commit === first) ? first : undefined;
}

/** The source of SLSA v0.2: what the build was configured from. */
export function sourceOfInvocation(predicate: unknown): BuildSource | undefined {
  return sourceOfResource(at(predicate, 'invocation', 'configSource'), listAt(predicate, 'materials'));
}

type Where = 'workflow' | 'source' | 'configSource';

/**
 * Which external parameter is the source, by build type. Of another type it is not known: its parameters may be whatever whoever
 * started the build wrote there.
 */
const SOURCES: readonly (readonly [RegExp, Where])[] = [
  [/^https:\/\/actions\.github\.io\/buildtypes\/workflow\/v1$/, 'workflow'],
  [/^https:\/\/slsa-framework\.github\.io\/github-actions-buildtypes\/workflow\/v1$/, 'workflow'],
  [/^https:\/\/docs\.gitlab\.com\/ci\/pipeline_security\/slsa\/(?:level_3\/)?provenance_v1\/?$/, 'source'],
  [/^https:\/\/gitlab\.com\/gitlab-org\/gitlab-runner\/-\/blob\/[^/]+\/PROVENANCE\.md$/, 'source'],
  [/^https:\/\/github\.com\/slsa-framework\/slsa-github-generator\/delegator-[a-z-]+@v\d+$/, 'source'],
  [/^https:\/\/slsa\.dev\/container-based-build\/v0\.1(?:\?draft)?$/, 'source'],
  [
    /^https:\/\/github\.com\/moby\/buildkit\/blob\/master\/docs\/attestations\/slsa-definitions\.md$/,
    'configSource',
  ],
];

/**
 * The source of SLSA v1, where its build type has it: GitHub's `workflow`, GitLab's `source`, BuildKit's `configSource`. What a
 * client says of itself (BuildKit's `vcs`, variables of a job) is not taken for it.
 */
export function sourceOfDefinition(definition: unknown): BuildSource | undefined {
  const type = textAt(definition, 'buildType') ?? '';
  const where = SOURCES.find(([known]) => known.test(type))?.[1];
  const materials = listAt(definition, 'resolvedDependencies');
  if (where === undefined) return undefined;
  const stated = at(definition, 'externalParameters', where);
  if (where === 'workflow') return sourceOfWorkflow(stated, materials);
  const source = typeof stated === 'string' ? readSourceUri(stated) : undefined;
  return source === undefined ? sourceOfResource(stated, materials) : withCommit(source, materials);
}

function sourceOfWorkflow(workflow: unknown, materials: readonly unknown[]): BuildSource | undefined {
  const repository = readSourceUri(textAt(workflow, 'repository'));
  if (repository === undefined) return undefined;
  const ref = textAt(workflow, 'ref');
  return withCommit({ uri: repository.uri, ...(ref === undefined ? {} : { ref }) }, materials);
}

function sourceOfResource(resource: unknown, materials: readonly unknown[]): BuildSource | undefined {
  const source = readSourceUri(textAt(resource, 'uri'));
  if (source === undefined) return undefined;
  const commit = commitOf(at(resource, 'digest'));
  return commit === undefined ? withCommit(source, materials) : { ...source, commit };
}

function withCommit(source: BuildSource, materials: readonly unknown[]): BuildSource {
  const commit = commitAmong(materials, source);
  return commit === undefined ? source : { ...source, commit };
}

/** The source as JSON. */
export const sourceJson = (source: BuildSource | undefined): JsonObject | undefined =>
  source === undefined ? undefined : known({ uri: source.uri, ref: source.ref, commit: source.commit });
