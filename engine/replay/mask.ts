// SPDX-License-Identifier: Apache-2.0
import type { Document, JsonObject, JsonValue } from '../manifest/document.ts';
import { isObject } from '../manifest/document.ts';
import { isSecret, withoutLastApplied } from '../record/secret.ts';

/**
 * The object's bytes with every value of a Secret replaced by one of the same length and class: what a native rule, a digest and
 * Kubernetes' own decoding make of it stays the same, and nothing of the values is left.
 */
export function maskSecret({ json, value }: Pick<Document, 'json' | 'value'>): Uint8Array {
  if (!isSecret(value)) return json;
  const metadata = withoutLastApplied(value['metadata']);
  return Buffer.from(
    JSON.stringify({
      ...value,
      ...(metadata === undefined ? {} : { metadata }),
      ...('data' in value ? { data: masked(value['data'], maskBase64) } : {}),
      ...('stringData' in value ? { stringData: masked(value['stringData'], maskText) } : {}),
    }),
  );
}

/** What is malformed keeps its shape, and none of its texts or numbers. */
function masked(value: JsonValue | undefined, mask: (text: string) => string): JsonValue {
  if (!isObject(value)) return emptied(value);
  const members: JsonObject = Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, typeof item === 'string' ? mask(item) : emptied(item)]),
  );
  return members;
}

function emptied(value: JsonValue | undefined): JsonValue {
  if (Array.isArray(value)) return value.map(emptied);
  if (isObject(value))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, emptied(item)]));
  if (typeof value === 'string') return maskText(value);
  if (typeof value === 'number') return isByte(value) ? 0 : NO_BYTE;
  return typeof value === 'boolean' ? false : null;
}

/** Kubernetes reads a list of numbers as bytes, too. */
const isByte = (value: number): boolean => Number.isInteger(value) && value >= 0 && value < NO_BYTE;
const NO_BYTE = 256;

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Padding and line ends stay; what is no base64 stays none, of the length that a lenient reader makes of it. */
function maskBase64(text: string): string {
  if (BASE64.test(text.replaceAll(/[\r\n]/g, ''))) return text.replaceAll(/[^\r\n=]/g, 'A');
  const length = Buffer.from(text, 'base64').length;
  return `!${'A'.repeat(Math.ceil((length * 4) / 3))}`;
}

const maskText = (text: string): string => 'x'.repeat(Buffer.byteLength(text));
