// SPDX-License-Identifier: Apache-2.0
import type { Change } from './change.ts';
import { type Unchanged, unchangedBy } from './decide/inherited.ts';
import type { Document, JsonValue } from './manifest/index.ts';

/** What an object was before, where an UPDATE leaves it as it was. */
export interface Earlier {
  readonly document: Document;
  readonly unchanged: Unchanged;
}

/** Asked for only where something fails: most objects are never compared. */
export function earlierOf({ oldObject }: Change, document: Document): () => Earlier | undefined {
  let asked: { readonly earlier: Earlier | undefined } | undefined;
  return () => {
    if (asked !== undefined) return asked.earlier;
    const unchanged = oldObject === undefined ? undefined : unchangedBy(oldObject, document.json);
    if (oldObject === undefined || unchanged === undefined) asked = { earlier: undefined };
    else {
      const value: JsonValue = JSON.parse(Buffer.from(oldObject).toString('utf8'));
      asked = { earlier: { document: { ...document, json: oldObject, value }, unchanged } };
    }
    return asked.earlier;
  };
}
