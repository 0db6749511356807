// SPDX-License-Identifier: Apache-2.0
// OPA's own cases, as test/opa-cases/README.md describes them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '../opa-cases');

/** A JSON value whose numbers that no double holds, or that are not written as JavaScript would, keep their text (`JSON.rawJSON`). */
export type Exact =
  | null
  | boolean
  | number
  | string
  | object
  | readonly Exact[]
  | { readonly [key: string]: Exact };

/** One case; fields as upstream has them. */
export interface Case {
  readonly id: string;
  readonly v0: boolean;
  readonly query: string;
  readonly modules?: readonly string[];
  readonly data?: Exact;
  readonly input?: Exact;
  readonly input_term?: string;
  readonly want_result?: readonly { readonly [variable: string]: Exact }[];
  readonly want_error?: string;
  readonly want_error_code?: string;
  readonly sort_bindings?: boolean;
  readonly strict_error?: boolean;
  readonly entrypoint?: string;
  readonly binding?: string;
  readonly host_builtins?: readonly string[];
}

/** Why cases are not expected to pass, or are run otherwise than they are written. */
export interface Exceptions {
  /** Cases that fail, by id; it is an error when one begins to pass. */
  readonly failing: Readonly<Record<string, string>>;
  /** Builtins that policies are refused: their cases run with them served, and a policy that calls them must not compile. */
  readonly refused: Readonly<Record<string, string>>;
  /** What is replaced in the source of cases: `[text, replacement, reason]`. */
  readonly adapted: readonly (readonly [string, string, string])[];
}

/** Every case of one syntax. */
export function readCases(version: 'v0' | 'v1'): readonly Case[] {
  return readFileSync(join(FOLDER, `${version}.jsonl`), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line, keepNumber));
}

export function readExceptions(): Exceptions {
  return JSON.parse(readFileSync(join(FOLDER, 'exceptions.json'), 'utf8'));
}

/** `JSON.rawJSON` and the reviver's context are newer than the types of the language. */
function keepNumber(
  this: unknown,
  _key: string,
  value: unknown,
  context?: { readonly source?: string },
): unknown {
  const source = context?.source;
  if (typeof value !== 'number' || source === undefined || String(value) === source) return value;
  return Reflect.apply(Reflect.get(JSON, 'rawJSON'), JSON, [source]);
}
