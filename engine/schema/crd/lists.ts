// SPDX-License-Identifier: Apache-2.0
import { exactText } from '../../record/canonical.ts';
import { type Fault, isRecord, pointerOf } from '../reading.ts';

type Schema = Readonly<Record<string, unknown>>;
type Path = readonly (string | number)[];

/**
 * Items of a list that the definition calls a set, or a map by some of their fields, that are there before.
 * @see k8s.io/apiextensions-apiserver pkg/apiserver/schema/listtype: a key that is missing counts with its default
 */
export function repeatedItems(schema: Schema, list: readonly unknown[], path: Path): readonly Fault[] {
  const keyOf = keyFor(schema);
  if (keyOf === undefined) return [];
  const seen = new Set<string>();
  return list.flatMap((item, index): readonly Fault[] => {
    const key = keyOf(item);
    if (!seen.has(key)) {
      seen.add(key);
      return [];
    }
    const message =
      schema[LIST_TYPE] === 'set'
        ? 'is in the list already'
        : `has the same ${keysOf(schema).join(', ')} as another`;
    return [{ is: 'value', pointer: pointerOf([...path, index]), message }];
  });
}

const LIST_TYPE = 'x-kubernetes-list-type';

const keysOf = (schema: Schema): readonly string[] => {
  const keys = schema['x-kubernetes-list-map-keys'];
  return Array.isArray(keys) ? keys.filter((key) => typeof key === 'string') : [];
};

function keyFor(schema: Schema): ((item: unknown) => string) | undefined {
  if (schema[LIST_TYPE] === 'set') return (item) => exactText(item ?? null);
  const keys = keysOf(schema);
  if (schema[LIST_TYPE] !== 'map' || keys.length === 0) return undefined;
  const items = isRecord(schema['items']) ? schema['items'] : {};
  const properties = isRecord(items['properties']) ? items['properties'] : {};
  return (item) => exactText(keys.map((key) => memberOf(item, key) ?? defaultOf(properties, key) ?? null));
}

const memberOf = (item: unknown, key: string): unknown =>
  isRecord(item) && Object.hasOwn(item, key) ? item[key] : undefined;

function defaultOf(properties: Schema, key: string): unknown {
  const property = Object.hasOwn(properties, key) ? properties[key] : undefined;
  return isRecord(property) ? property['default'] : undefined;
}
