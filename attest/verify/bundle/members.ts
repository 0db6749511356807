// SPDX-License-Identifier: Apache-2.0
import type { Members } from '../shape.ts';

/**
 * An object with all of the first members, any of the second, and no others; undefined for anything else. An optional member that is
 * null is absent, as protobuf's JSON has it.
 */
export function membersAmong(
  value: unknown,
  required: readonly string[],
  optional: readonly string[] = [],
): Members | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const entries: [string, unknown][] = Object.entries(value);
  const found: Members = Object.fromEntries(
    entries.filter(([name, member]) => member !== null || !optional.includes(name)),
  );
  const isKnown = Object.keys(found).every((name) => required.includes(name) || optional.includes(name));
  return isKnown && required.every((name) => Object.hasOwn(found, name)) ? found : undefined;
}
