// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../error.ts';
import {
  type Document,
  idOf,
  isObject,
  type JsonObject,
  type JsonValue,
  member,
  textMember,
} from './document.ts';
import { itemSpans } from './spans.ts';

/** Lists within Lists beyond this are refused. */
const LIST_MAX_DEPTH = 8;

/**
 * The objects of a Document: itself, or the items of the list that it is, recursively.
 *
 * kubectl takes every object with `items` for a list, whatever its kind, and applies the items instead of it; so do we,
 * else a Pod could hide in a ConfigMap. Items of a typed list (`PodList`) that say neither kind nor apiVersion are of the list's.
 *
 * @throws {EngineError} INPUT_TOO_DEEP | INPUT_SHAPE, without a location
 */
export function flatten(document: Document, depth = 1): readonly Document[] {
  const { value, id } = document;
  const items = member(value, 'items');
  if (id === undefined || !isObject(value) || items === undefined) return [document];
  if (items === null && id.kind.endsWith('List')) return [];
  if (!Array.isArray(items)) {
    if (id.kind.endsWith('List'))
      throw new EngineError('INPUT_SHAPE', `"items" of a ${quote(id.kind)} is not an array`);
    return [document];
  }
  if (depth > LIST_MAX_DEPTH)
    throw new EngineError('INPUT_TOO_DEEP', `lists are nested deeper than ${LIST_MAX_DEPTH} levels`);
  return itemSpans(document.json, 'items').flatMap(({ start, end }, index) =>
    flatten(
      itemOf(document, value, {
        json: document.json.subarray(start, end),
        value: items[index] ?? null,
        index,
      }),
      depth + 1,
    ),
  );
}

function itemOf(
  list: Document,
  listValue: JsonObject,
  item: { readonly json: Uint8Array; readonly value: JsonValue; readonly index: number },
): Document {
  const { json, value } = typed(listValue, item);
  return { ...list, json, value, id: idOf(value), pointer: `${list.pointer}/items/${item.index}` };
}

/** Kubernetes leaves kind and apiVersion out of the items of the lists that it answers with. */
function typed(
  list: JsonObject,
  item: { readonly json: Uint8Array; readonly value: JsonValue; readonly index: number },
): { readonly json: Uint8Array; readonly value: JsonValue } {
  const kind = (textMember(list, 'kind') ?? '').replace(/List$/, '');
  const { value } = item;
  if ((!isObject(value) || kind === '' || textMember(value, 'kind')) ?? textMember(value, 'apiVersion'))
    return item;
  if (member(value, 'kind') !== undefined || member(value, 'apiVersion') !== undefined)
    throw new EngineError(
      'INPUT_SHAPE',
      `item ${item.index} of a ${quote(`${kind}List`)} has an empty kind or apiVersion`,
    );
  const identity = { apiVersion: textMember(list, 'apiVersion') ?? '', kind };
  const members = Buffer.from(item.json).subarray(1);
  const head = JSON.stringify(identity).slice(0, -1) + (Object.keys(value).length > 0 ? ',' : '');
  return { json: Buffer.concat([Buffer.from(head), members]), value: { ...identity, ...value } };
}

const quote = (text: string): string => JSON.stringify(text);
