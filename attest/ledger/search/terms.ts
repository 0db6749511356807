// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';

/** One thing that a record can be found by; both are opaque here. */
export interface Term {
  readonly name: string;
  readonly value: string;
}

/** What a record can be found by, as who knows its statements derives it. */
export interface Terms {
  /** When the record says that it was made, in milliseconds of Unix time; undefined where it says nothing. */
  readonly time: number | undefined;
  readonly terms: readonly Term[];
}

/** Derives the terms of one payload; it must be a function of the payload alone, and must not throw. */
export type TermsOf = (payload: Uint8Array) => Terms;

/** What the index keeps of a term: 52 bits of its SHA-256. Two terms that share it cost a look at the record, never a wrong answer. */
export function termKey({ name, value }: Term): number {
  const digest = hash('sha256', `${name}\0${value}`, 'buffer');
  return digest.readUIntBE(0, 6) * 16 + ((digest[6] ?? 0) >> 4);
}

/** What is asked for: all of `terms` (any of those within one list), the time, and a page of the answer. */
export interface Query {
  readonly terms: readonly (readonly Term[])[];
  /** Oldest and newest time, both inclusive, in milliseconds. */
  readonly from?: number;
  readonly to?: number;
  /** Only records before this number: the `next` of the page before. */
  readonly before?: number;
  /** Records of a page. */
  readonly limit: number;
}

/** Whether a record is one that is asked for; what is compared are the terms themselves. */
export function matches({ time, terms }: Terms, query: Query): boolean {
  const has = (wanted: Term): boolean =>
    terms.some(({ name, value }) => name === wanted.name && value === wanted.value);
  if (!query.terms.every((any) => any.some(has))) return false;
  if (query.from === undefined && query.to === undefined) return true;
  return time !== undefined && time >= (query.from ?? -Infinity) && time <= (query.to ?? Infinity);
}
