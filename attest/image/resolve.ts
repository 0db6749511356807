// SPDX-License-Identifier: Apache-2.0
import { AttestError } from '../error.ts';
import {
  DOCKER_INDEX_TYPE,
  DOCKER_MANIFEST_TYPE,
  digestOf,
  expectStatus,
  INDEX_TYPE,
  MANIFEST_TYPE,
} from '../oci/manifest.ts';
import { openRepository } from '../oci/repository.ts';
import type { RegistryAccess } from '../oci/session.ts';
import { ATTACHMENT_LIMITS } from './limits.ts';

/**
 * The digest that a tag stands for now, computed over the bytes of its manifest or index. It may be another one the next time: whoever
 * asks has to go on with the digest.
 * @throws {AttestError} REGISTRY_…
 */
export async function resolveTag(
  {
    registry,
    repository,
    tag,
  }: { readonly registry: string; readonly repository: string; readonly tag: string },
  access: RegistryAccess,
): Promise<string> {
  const name = `${registry}/${repository}:${tag}`;
  const { answer } = await openRepository({ registry, repository, name }, access).get(`manifests/${tag}`, {
    accept: [MANIFEST_TYPE, INDEX_TYPE, DOCKER_MANIFEST_TYPE, DOCKER_INDEX_TYPE].join(', '),
    maxBytes: ATTACHMENT_LIMITS.manifestBytes,
    timeoutMs: ATTACHMENT_LIMITS.timeoutMs,
  });
  expectStatus(answer, 200, `read ${name}`);
  const digest = digestOf(answer.body);
  const stated = answer.headers['docker-content-digest'];
  if (stated === undefined || stated === digest) return digest;
  throw new AttestError(
    'REGISTRY_CONTENT',
    `${JSON.stringify(name)} cannot be used: the registry states another digest than that of its manifest`,
  );
}
