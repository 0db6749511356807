// SPDX-License-Identifier: Apache-2.0
import { AttestError } from '../error.ts';

/** Where an artefact is: `oci://registry/repository[:tag][@digest]`. */
export interface OciReference {
  /** Host in lower case, with its port where one was given. */
  readonly registry: string;
  readonly repository: string;
  /** Absent where only a digest was given. */
  readonly tag?: string;
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest?: string;
  /** `oci://…` as it is looked up in a lock file: registry, repository and tag, without the digest. */
  readonly name: string;
}

const REFERENCE =
  /^oci:\/\/((?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?)\/([a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*)(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$/i;

export const DIGEST = /^sha256:[0-9a-f]{64}$/;

/**
 * Reads a reference; without tag and digest the tag is `latest`.
 * @throws {AttestError} REFERENCE_SHAPE
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests
 */
export function parseOciReference(text: string): OciReference {
  const match = text.length > 512 ? null : REFERENCE.exec(text);
  const [, host = '', repository = '', statedTag, digest] = match ?? [];
  // The host alone may be written in capitals.
  const isLower = repository === repository.toLowerCase() && (digest === undefined || DIGEST.test(digest));
  const port = Number(/:(\d+)$/.exec(host)?.[1] ?? 443);
  if (match === null || !isLower || port < 1 || port > 65_535)
    throw new AttestError('REFERENCE_SHAPE', `${JSON.stringify(text)} is no reference to a registry`, {
      hint: 'such as oci://registry.example/team/policies:v1, or with @sha256:…',
    });
  const tag = statedTag ?? (digest === undefined ? 'latest' : undefined);
  const registry = host.toLowerCase();
  return {
    registry,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
    name: `oci://${registry}/${repository}${tag === undefined ? '' : `:${tag}`}`,
  };
}
