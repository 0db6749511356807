// SPDX-License-Identifier: Apache-2.0
import { refuse } from '../meter/index.ts';
import type { Area } from './area.ts';
import { Directory, ELEMENT, type Leaf, OBJECT, type Segment, STRING } from './directory.ts';

/** One member of an object as it lies in memory. */
export interface Member {
  readonly bucket: number;
  readonly name: Uint8Array;
  readonly value: number;
}

const POINTER_BYTES = 4;

export const isObject = (area: Area, value: number): boolean => area.read8(value) === OBJECT.type;

/**
 * The members of an object that the module's parser made, in the order in which they lie.
 * @throws {EngineError} POLICY_MODULE where they do not lie in its segment, or go round in a circle
 */
export function membersOf(area: Area, { value, segment }: Leaf): readonly Member[] {
  const found: Member[] = [];
  const table = area.read32(value + OBJECT.buckets);
  const size = area.read32(value + OBJECT.size);
  const isInside = (address: number, bytes: number): boolean =>
    address >= segment.address && address + bytes <= segment.address + segment.bytes;
  if (!isInside(table, size * POINTER_BYTES)) return unknownLayout();
  for (let bucket = 0; bucket < size; bucket++) {
    let element = area.read32(table + bucket * POINTER_BYTES);
    while (element !== 0) {
      const key = area.read32(element + ELEMENT.key);
      const [text, length] = [area.read32(key + STRING.text), area.read32(key + STRING.length)];
      if (!isInside(text, length) || found.length * ELEMENT.bytes > segment.bytes) return unknownLayout();
      found.push({ bucket, name: area.read(text, length), value: area.read32(element + ELEMENT.value) });
      element = area.read32(element + ELEMENT.next);
    }
  }
  return found;
}

const unknownLayout = (): never => refuse('its evaluator lays out objects in a way that is not known');

const PROBE_MEMBERS = 20;
const PROBE_NAMES = ['', 'k', 'é', '\u{1f511}'] as const;

/** Names of every length and order of bytes, so that buckets and the order in them are put to the test. */
export const PROBE = Buffer.from(
  JSON.stringify(
    Object.fromEntries(
      Array.from({ length: PROBE_MEMBERS }, (_, index) => [`${PROBE_NAMES[index % 4]}${index ** 3}`, index]),
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
  if (!isSame) unknownLayout();
}

function liesAlike(area: Area, probe: Leaf): boolean {
  if (!isObject(area, probe.value)) return false;
  const made = membersOf(area, probe);
  const ours = new Directory(area);
  for (const { name, value } of made.toReversed()) ours.put(name, { ...probe, value });
  const whole: Segment = { address: area.start, bytes: area.top - area.start, uses: 1 };
  const text = (object: number): string =>
    JSON.stringify([
      area.read32(object + OBJECT.size),
      area.read32(object + OBJECT.length),
      ...membersOf(area, { value: object, segment: whole }).map((each) => ({
        ...each,
        name: [...each.name],
      })),
    ]);
  const isSame = made.length === PROBE_MEMBERS && text(probe.value) === text(ours.value);
  for (const { name } of made) ours.remove(name);
  ours.free();
  return isSame;
}
