// SPDX-License-Identifier: Apache-2.0
import { AttestError } from '../error.ts';
import { parseStrict } from '../json.ts';
import { type Descriptor, expectStatus, INDEX_TYPE, memberOf, readDescriptors } from '../oci/manifest.ts';
import type { Read, Repository } from '../oci/repository.ts';
import { ATTACHMENT_LIMITS } from './limits.ts';

/** Answers of a registry that does not know the question. */
const NOT_KNOWN: ReadonlySet<number> = new Set([400, 404, 405, 501]);

/**
 * Every manifest that says it is about this digest: what the referrers API lists, page by page, or, where a registry has none, the
 * index under the tag `sha256-<hex>`. Nothing in the list is proved.
 * @throws {AttestError} REGISTRY_… also where there are more than `ATTACHMENT_LIMITS` lets through
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
 */
export async function listReferrers(repository: Repository, digest: string): Promise<readonly Descriptor[]> {
  const first = await get(repository, `referrers/${digest}`);
  if (NOT_KNOWN.has(first.answer.status)) return fallback(repository, digest);
  const found: Descriptor[] = [];
  let page: Read | undefined = first;
  for (let pages = 0; page !== undefined; pages++) {
    if (pages === ATTACHMENT_LIMITS.pages) throw tooMany(`more than ${pages} pages of referrers`);
    expectStatus(page.answer, 200, 'list what is attached to an image');
    found.push(...manifestsOf(page.answer.body));
    if (found.length > ATTACHMENT_LIMITS.referrers)
      throw tooMany(`more than ${ATTACHMENT_LIMITS.referrers} referrers`);
    page = await page.next?.();
  }
  return found;
}

async function fallback(repository: Repository, digest: string): Promise<readonly Descriptor[]> {
  const { answer } = await get(repository, `manifests/${tagOf(digest)}`);
  if (answer.status === 404) return [];
  expectStatus(answer, 200, 'list what is attached to an image');
  return manifestsOf(answer.body);
}

/** The tag under which clients keep what belongs to a digest. */
export const tagOf = (digest: string): string => digest.replace(':', '-');

const get = (repository: Repository, path: string): Promise<Read> =>
  repository.get(path, {
    accept: INDEX_TYPE,
    maxBytes: ATTACHMENT_LIMITS.manifestBytes,
    timeoutMs: ATTACHMENT_LIMITS.timeoutMs,
  });

function manifestsOf(body: Buffer): readonly Descriptor[] {
  const index = parseStrict(body)?.value;
  const manifests = memberOf(index, 'manifests');
  if (Array.isArray(manifests) && manifests.length > ATTACHMENT_LIMITS.referrers)
    throw tooMany(`${manifests.length} referrers, more than ${ATTACHMENT_LIMITS.referrers}`);
  const found = readDescriptors(manifests, ATTACHMENT_LIMITS.referrers);
  if (memberOf(index, 'mediaType') === INDEX_TYPE && found !== undefined) return found;
  throw new AttestError('REGISTRY_CONTENT', 'the list of what is attached to an image is no OCI image index');
}

const tooMany = (what: string): AttestError =>
  new AttestError('REGISTRY_CONTENT', `an image has ${what}: none of them is looked at`, {
    hint: 'whoever may write to the repository can attach anything: remove what does not belong there',
  });
