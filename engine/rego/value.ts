// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../error.ts';
import { type Member, readTerm, type Term } from './term.ts';

/**
 * A Rego value in JavaScript. A set is an array in Rego's order; an object has no prototype and its keys in Rego's order, and is a
 * Map where one of its keys is no string. A number is a JavaScript number; an integer beyond 2^53 that is written without an
 * exponent is a bigint, exact.
 */
export type RegoValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly RegoValue[]
  | RegoObject
  | ReadonlyMap<RegoValue, RegoValue>;

export interface RegoObject {
  readonly [key: string]: RegoValue;
}

/** An object whose keys are all strings. */
export function isRegoObject(value: RegoValue | undefined): value is RegoObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Map);
}

/**
 * Reads the text of a value.
 * @throws {EngineError} POLICY_RESULT for what is no value, and for a number that no double can hold
 */
export const readValue = (text: string): RegoValue => fromTerm(readTerm(text));

/** @throws {EngineError} POLICY_RESULT for a number that no double can hold */
export function fromTerm(term: Term): RegoValue {
  switch (term.kind) {
    case 'null':
      return null;
    case 'boolean':
    case 'string':
      return term.value;
    case 'number':
      return numberOf(term.text);
    case 'object':
      return objectOf(term.members);
    default:
      return term.items.map(fromTerm);
  }
}

/** Zero has no sign: JSON and records would lose it. */
function numberOf(text: string): number | bigint {
  const value = Number(text);
  if (!Number.isFinite(value))
    throw new EngineError('POLICY_RESULT', `the number ${JSON.stringify(text)} is too large for a result`);
  if (!Number.isSafeInteger(value) && /^-?\d+$/.test(text)) return BigInt(text);
  return value === 0 ? 0 : value;
}

function objectOf(members: readonly Member[]): RegoValue {
  const object: Record<string, RegoValue> = Object.create(null);
  for (const [key, value] of members) {
    if (key.kind !== 'string')
      return new Map(members.map(([each, item]) => [fromTerm(each), fromTerm(item)]));
    object[key.value] = fromTerm(value);
  }
  return object;
}
