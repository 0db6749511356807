// SPDX-License-Identifier: Apache-2.0
import { refuse } from '../meter/index.ts';
import type { Area } from './area.ts';
import { Directory, ELEMENT, type Leaf, OBJECT, STRING } from './directory.ts';

/** One member of an object as it lies in memory. */
export interface Member {
  readonly bucket: number;
  readonly name: Uint8Array;
  readonly value: number;
}

const MAX_PROBE_BUCKETS = 64;

export const isObject = (area: Area, value: number): boolean => area.read8(value) === OBJECT.type;

/** The members of an object that the module's parser made, in the order in which they lie. */
export function membersOf(area: Area, value: number): readonly Member[] {
  const found: Member[] = [];
  const table = area.read32(value + OBJECT.buckets);
  const size = area.read32(value + OBJECT.size);
  for (let bucket = 0; bucket < size; bucket++) {
    let element = area.read32(table + 4 * bucket);
    while (element !== 0) {
      const key = area.read32(element + ELEMENT.key);
      const name = area.read(area.read32(key + STRING.text), area.read32(key + STRING.length));
      found.push({ bucket, name, value: area.read32(element + ELEMENT.value) });
      element = area.read32(element + ELEMENT.next);
    }
  }
  return found;
}

const PROBE_NAMES = ['', 'k', 'é', '\u{1f511}'] as const;

/** Names of every length and order of bytes, so that buckets and the order in them are put to the test. */
export const PROBE = Buffer.from(
  JSON.stringify(
    Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [`${PROBE_NAMES[index % 4]}${index ** 3}`, index]),
    ),
  ),
);

/**
 * Holds a module to the layout that `Directory` writes, which is no part of OPA's ABI: what its parser made of the probe must lie
 * as ours does.
 * @throws {EngineError} POLICY_MODULE for an evaluator of another kind: its data cannot be changed in place
 */
export function checkLayout(area: Area, probe: Leaf): void {
  let isSame = false;
  try {
    isSame = liesAlike(area, probe);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause; // an address outside of memory
  }
  if (!isSame) refuse('its evaluator lays out objects in a way that is not known');
}

function liesAlike(area: Area, probe: Leaf): boolean {
  if (!isObject(area, probe.value) || area.read32(probe.value + OBJECT.size) > MAX_PROBE_BUCKETS)
    return false;
  const made = membersOf(area, probe.value);
  const parts = made.map(({ name, value }) => [name, { ...probe, value }] as const);
  const ours = new Directory(area);
  for (const [name, leaf] of parts.toReversed()) ours.put(name, leaf);
  const text = (members: readonly Member[]): string =>
    JSON.stringify(members.map(({ bucket, name, value }) => [bucket, [...name], value]));
  const lengths = [probe.value, ours.value].map((object) => area.read32(object + OBJECT.length));
  const isSame =
    text(made) === text(membersOf(area, ours.value)) &&
    lengths.every((length) => length === made.length) &&
    area.read32(probe.value + OBJECT.size) === area.read32(ours.value + OBJECT.size);
  for (const [name] of parts) ours.remove(name);
  ours.free();
  return isSame;
}
