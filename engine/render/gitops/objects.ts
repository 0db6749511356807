// SPDX-License-Identifier: Apache-2.0
import { type Document, type JsonValue, member } from '../../manifest/index.ts';

/** What a ConfigMap or Secret holds, by key. */
export type Held = Readonly<Record<string, string>>;

/** ConfigMaps and Secrets that were given as files, since no cluster is asked for them. */
export function heldBy(documents: readonly Document[], kind: string, name: string): Held | undefined {
  const found = documents.find(({ id }) => id?.apiVersion === 'v1' && id.kind === kind && id.name === name);
  if (found === undefined) return undefined;
  const encoded = textsOf(member(found.value, 'data'));
  if (kind !== 'Secret') return encoded;
  const decoded = Object.entries(encoded).map(
    ([key, text]) => [key, Buffer.from(text, 'base64').toString('utf8')] as const,
  );
  return { ...Object.fromEntries(decoded), ...textsOf(member(found.value, 'stringData')) };
}

const textsOf = (value: JsonValue | undefined): Held =>
  Object.fromEntries(
    Object.entries(Object(value)).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
