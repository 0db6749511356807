// SPDX-License-Identifier: Apache-2.0
import type { Change } from './change.ts';
import { type Unchanged, unchangedBy } from './decide/inherited.ts';
import type { Document, JsonValue } from './manifest/index.ts';
import { type Redactor, redactorOf } from './record/redact.ts';

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

/** What was there before, which may be a Secret as well. */
export function oldOf(json: Uint8Array): Pick<Document, 'json' | 'value'> {
  const value: JsonValue = JSON.parse(Buffer.from(json).toString('utf8'));
  return { json, value };
}

/** Hides the values of every Secret of the change: a set may quote one object's in what is said of another. */
export function redactorFor(change: Change): Redactor {
  const old = change.oldObject === undefined ? [] : [oldOf(change.oldObject).value];
  const secrets = change.documents.filter(({ id }) => id?.kind === 'Secret' && id.apiVersion === 'v1');
  return redactorOf([...secrets.map((document) => document.value), ...old]);
}
