// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { bytewise, type FindingObject, objectId } from '../decide/finding.ts';
import { EngineError } from '../error.ts';
import { type Document, refuseUnlistable } from '../manifest/index.ts';
import { groupOf } from '../schema/table.ts';
import { readObject } from './normal.ts';

const OWN_GROUP = 'countersign.dev';

/** One line of a set listing. */
export interface SetEntry {
  readonly id: string;
  readonly apiVersion: string;
  /** SHA-256 (hex) of the object in normal form; absent for an object that is to be deleted. */
  readonly digest?: string;
}

/** The objects of one change and the listing (`set.txt`) whose SHA-256 is the set digest. */
export interface ObjectSet {
  readonly entries: readonly SetEntry[];
  readonly listing: string;
  /** SHA-256 (hex) of `listing`. */
  readonly digest: string;
}

/** What a document is called in findings and listings; one that is no Kubernetes object is named by file and ordinal. */
export function objectOf(document: Document): FindingObject {
  return (
    document.id ?? { apiVersion: '', kind: '', name: `${document.file}#${document.index}${document.pointer}` }
  );
}

/**
 * The listing of a change: lines `<hex>  <id>` (`-  <id>` for a delete), ordered by id bytewise. The same object twice in one
 * set stays twice, so a listing never hides one; where a record is made it is refused (`refuseDuplicates`). Objects of our own API group
 * are about the set and no part of it.
 * @param onProgress told after each document how many of them are listed
 * @throws {EngineError} INPUT_SHAPE where a name would forge a line
 */
export function listSet(
  documents: readonly Document[],
  isDelete: boolean,
  onProgress?: (done: number, total: number) => void,
): ObjectSet {
  documents.forEach(refuseUnlistable);
  const entries = documents
    .filter(isListed)
    .map((document, index): SetEntry => {
      const object = objectOf(document);
      const entry = { id: objectId(object), apiVersion: object.apiVersion };
      const listed = isDelete ? entry : { ...entry, digest: readObject(document).digest };
      onProgress?.(index + 1, documents.length);
      return listed;
    })
    .sort((a, b) => bytewise(a.id, b.id) || ((a.digest ?? '') < (b.digest ?? '') ? -1 : 1));
  const listing = entries.map((entry) => `${entry.digest ?? '-'}  ${entry.id}\n`).join('');
  return { entries, listing, digest: hash('sha256', listing, 'hex') };
}

const isListed = ({ id }: Document): boolean => groupOf(id?.apiVersion ?? '') !== OWN_GROUP;

/** The digest that `listSet` gives an object: it is kept, so that the listing needs the object no more. */
export const listedDigest = (document: Document): string | undefined =>
  isListed(document) ? readObject(document).digest : undefined;

/**
 * A record lists each object once: two objects of one id cannot both be what was applied.
 * @throws {EngineError} INPUT_DUPLICATE_OBJECT
 */
export function refuseDuplicates(set: ObjectSet): void {
  const repeated = set.entries.find((entry, index) => index > 0 && set.entries[index - 1]?.id === entry.id);
  if (repeated === undefined) return;
  throw new EngineError(
    'INPUT_DUPLICATE_OBJECT',
    `object ${JSON.stringify(repeated.id)} is in the set more than once`,
    {
      hint: 'a record lists each object once: remove one of them, or check them in two runs',
    },
  );
}
