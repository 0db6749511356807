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

/** Whether a parsed document is an object. */
export const isObject = (area: Area, leaf: Leaf): boolean =>
  isInside(leaf.segment, leaf.value, OBJECT.bytes) && area.read8(leaf.value) === OBJECT.type;

const isInside = ({ address, bytes }: Segment, start: number, length: number): boolean =>
  start >= address && start + length <= address + bytes;

/**
 * The members of an object that the module's parser made, in the order in which they lie.
 * @throws {EngineError} POLICY_MODULE where they do not lie in its segment, or go round in a circle
 */
export function membersOf(area: Area, { value, segment }: Leaf): readonly Member[] {
  const found: Member[] = [];
  const read = (address: number, length: number): ((offset: number) => number) =>
    isInside(segment, address, length) ? (offset) => area.read32(address + offset) : unknownLayout();
  const object = read(value, OBJECT.bytes);
  const size = object(OBJECT.size);
  const table = read(object(OBJECT.buckets), size * POINTER_BYTES);
  for (let bucket = 0; bucket < size; bucket++) {
    let address = table(bucket * POINTER_BYTES);
    while (address !== 0) {
      const element = read(address, ELEMENT.bytes);
      const key = read(element(ELEMENT.key), STRING.bytes);
      const [text, length] = [key(STRING.text), key(STRING.length)];
      if (!isInside(segment, text, length) || found.length * ELEMENT.bytes > segment.bytes) unknownLayout();
      found.push({ bucket, name: area.read(text, length), value: element(ELEMENT.value) });
      address = element(ELEMENT.next);
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
  if (!isObject(area, probe)) unknownLayout();
  const made = membersOf(area, probe);
  const nameBytes = made.reduce((sum, { name }) => sum + name.length, 0);
  if (made.length !== PROBE_MEMBERS || nameBytes > PROBE.length) unknownLayout();
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
  const isSame = text(probe.value) === text(ours.value);
  for (const { name } of made) ours.remove(name);
  ours.free();
  if (!isSame) unknownLayout();
}
