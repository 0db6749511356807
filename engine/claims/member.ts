// SPDX-License-Identifier: Apache-2.0
import type { JsonObject, JsonValue } from '../manifest/document.ts';
import { Malformed } from './malformed.ts';

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What stands below a value under these keys; undefined where there is nothing. Inherited members are none. */
export function at(value: unknown, ...keys: readonly string[]): unknown {
  let found = value;
  for (const key of keys) {
    if (!isRecord(found) || !Object.hasOwn(found, key)) return undefined;
    found = found[key];
  }
  return found;
}

/** The text there; an empty one says nothing and is undefined. */
export function textAt(value: unknown, ...keys: readonly string[]): string | undefined {
  const found = at(value, ...keys);
  return typeof found === 'string' && found !== '' ? found : undefined;
}

/** The list there; an empty one where there is none. */
export function listAt(value: unknown, ...keys: readonly string[]): readonly unknown[] {
  const found = at(value, ...keys);
  return Array.isArray(found) ? found : [];
}

/** The texts of the list there. */
export const textsAt = (value: unknown, ...keys: readonly string[]): readonly string[] =>
  listAt(value, ...keys).filter((item) => typeof item === 'string');

const END_MS = Date.UTC(2262, 0);
const TIME = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/;

/**
 * The time there, in UTC with milliseconds: `2026-11-24T12:00:00.000Z`. Go's zero time stands for none.
 * @throws {Malformed} for a thirtieth of February, and for a year that no rule could count with: Rego's times are nanoseconds since
 * 1970 in 64 bits, and one that does not fit would fail in every rule that asks
 */
export function timeAt(value: unknown, ...keys: readonly string[]): string | undefined {
  const text = textAt(value, ...keys);
  if (text === undefined || text.startsWith('0001-01-01T00:00:00')) return undefined;
  const local = TIME.exec(text)?.[1];
  const parsed = Date.parse(text);
  // A parser takes the thirtieth of February for a day in March.
  const isDate =
    local !== undefined &&
    parsed >= 0 &&
    parsed < END_MS &&
    new Date(Date.parse(`${local}Z`)).toISOString().startsWith(local);
  if (!isDate) throw new Malformed(`${keys.join('.')} is ${JSON.stringify(text)}, which is no date`);
  return new Date(parsed).toISOString();
}

/** The members that are known; one that is undefined is absent, never empty or null. */
export function known(members: Readonly<Record<string, JsonValue | undefined>>): JsonObject {
  const found: Record<string, JsonValue> = {};
  for (const [key, value] of Object.entries(members)) if (value !== undefined) found[key] = value;
  return found;
}

/** A resource descriptor as far as it is known: where something is and what its digests are. */
export function resourceAt(value: unknown, ...keys: readonly string[]): JsonObject | undefined {
  const found = at(value, ...keys);
  if (!isRecord(found)) return undefined;
  return known({
    uri: textAt(found, 'uri'),
    name: textAt(found, 'name'),
    digest: digestsAt(found, 'digest'),
  });
}

/** The resource descriptors of the list there. */
export const resourcesAt = (value: unknown, ...keys: readonly string[]): readonly JsonObject[] =>
  listAt(value, ...keys)
    .map((item) => resourceAt(item))
    .filter((item) => item !== undefined);

function digestsAt(value: unknown, ...keys: readonly string[]): JsonObject | undefined {
  const found = at(value, ...keys);
  if (!isRecord(found)) return undefined;
  const digests = Object.entries(found).flatMap(([name, hex]) =>
    typeof hex === 'string' ? [[name, hex] as const] : [],
  );
  return Object.fromEntries(digests);
}
