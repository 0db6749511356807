// SPDX-License-Identifier: Apache-2.0
import type { Document, JsonValue } from '../manifest/index.ts';

/** The annotation in which kubectl keeps the whole object as it was applied. */
export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

type JsonObject = { readonly [key: string]: JsonValue };

const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether this is a core/v1 Secret, the one built-in kind whose values are secret. */
export function isSecret(value: JsonValue): value is JsonObject {
  return isObject(value) && value['apiVersion'] === 'v1' && value['kind'] === 'Secret';
}

/** What a native rule may know of a secret value. */
function shapeOf(value: JsonValue, encoded: boolean): JsonValue {
  if (typeof value !== 'string') return { class: 'malformed', length: 0 };
  const length = encoded ? Buffer.from(value, 'base64').length : Buffer.byteLength(value);
  return { class: length === 0 ? 'empty' : encoded ? 'base64' : 'text', length };
}

function shapesOf(values: JsonValue | undefined, encoded: boolean): JsonValue {
  if (!isObject(values)) return { class: 'malformed', length: 0 };
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, shapeOf(value, encoded)]));
}

/** The names of the keys, sorted; none where the values are no mapping. */
export const keysOf = (values: unknown): readonly string[] =>
  typeof values === 'object' && values !== null && !Array.isArray(values) ? Object.keys(values).sort() : [];

/** The annotation in which kubectl keeps the whole object, values included. */
export function withoutLastApplied(metadata: JsonValue | undefined): JsonValue | undefined {
  if (!isObject(metadata) || !isObject(metadata['annotations'])) return metadata;
  const { [LAST_APPLIED]: _dropped, ...annotations } = metadata['annotations'];
  return { ...metadata, annotations };
}

function replaceValues(
  secret: JsonObject,
  replace: (values: JsonValue | undefined, encoded: boolean) => JsonValue,
): Uint8Array {
  const metadata = withoutLastApplied(secret['metadata']);
  const reduced = {
    ...secret,
    ...(metadata === undefined ? {} : { metadata }),
    ...('data' in secret ? { data: replace(secret['data'], true) } : {}),
    ...('stringData' in secret ? { stringData: replace(secret['stringData'], false) } : {}),
  };
  return Buffer.from(JSON.stringify(reduced));
}

/** The object's bytes as a native rule sees them: a Secret's values are replaced by `{class, length}`. */
export function reduceSecret(document: Pick<Document, 'json' | 'value'>): Uint8Array {
  return isSecret(document.value) ? replaceValues(document.value, shapesOf) : document.json;
}

/**
 * The object's bytes as digests take them: a Secret's values are replaced by the sorted key names, since the digest of a
 * value lets anyone who holds it test guesses.
 */
export function digestForm(document: Document): Uint8Array {
  return isSecret(document.value) ? replaceValues(document.value, keysOf) : document.json;
}
